"""The service: lanes, attempts and enrolment, seen through ports only."""

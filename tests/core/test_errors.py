"""The one exception and its codes."""

import pytest

from postern.core.errors import Code, PosternError, invalid


def test_an_error_reads_as_its_sentence_and_its_hint():
    """What is wrong, then what to do about it."""
    assert "It is shut. Ring the bell." == str(invalid("It is shut.", "Ring the bell."))


def test_an_error_without_a_hint_reads_as_its_sentence():
    """No blank is left at its end."""
    assert "It is shut." == str(invalid("It is shut."))


@pytest.mark.parametrize("code", Code)
def test_only_what_is_unavailable_now_is_worth_another_try(code):
    """Every other failure stays until something is changed."""
    assert (code is Code.UNAVAILABLE) == PosternError(code, "No.").retry_helps


def test_an_error_keeps_its_parts():
    """Callers go by the code and show the sentence."""
    error = PosternError(Code.NOT_FOUND, "There is no such door.", "List them.")

    assert (Code.NOT_FOUND, "There is no such door.", "List them.") == (
        error.code, error.message, error.hint
    )  # fmt: skip
    assert ("There is no such door.",) == error.args


def test_there_are_six_codes():
    """A seventh would need a row in every table that turns codes into answers."""
    assert 6 == len(Code)

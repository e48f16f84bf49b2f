"""The demo: a throw-away site whose cameras play clips that are drawn here."""

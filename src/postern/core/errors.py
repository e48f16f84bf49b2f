"""The one exception of the product and its six codes."""

from enum import StrEnum


class Code(StrEnum):
    """Whose fault it is, and whether trying again can help."""

    CONFLICT = "conflict"
    INTERNAL = "internal"
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    UNAVAILABLE = "unavailable"


class PosternError(Exception):
    """A failure with one sentence that is safe to show to whoever asked.

    Args:
        code: One of the six codes.
        message: What is wrong, in one sentence, without secrets or personal data.
        hint: What to do about it, if there is something.
    """

    def __init__(self, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def retry_helps(self) -> bool:
        """Whether the same call may succeed later without any change."""
        return self.code is Code.UNAVAILABLE

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def invalid(message: str, hint: str = "") -> PosternError:
    """An error for input that can never be accepted as it is."""
    return PosternError(Code.INVALID, message, hint)

"""What can go wrong with secrets and certificates, in the words that callers of the API read."""

from magnum.common import errors


class NotSetUp(errors.Unavailable):
    """The place where secrets are kept is not set up. Its operator has to do something."""

    code = "KEYS_NOT_SET_UP"

    def __init__(self, operator_text: str) -> None:
        super().__init__(
            "The service cannot keep secrets, because it is not set up completely. Tell the cloud's operator.",
            operator_text,
        )


class StoreUnavailable(errors.Unavailable):
    """The place where secrets are kept does not answer, or not sensibly. Asking again later may help."""

    code = "SECRET_STORE_UNAVAILABLE"

    def __init__(self, operator_text: str) -> None:
        super().__init__(
            "The place where secrets are kept does not answer. Try again later.", operator_text
        )


class SecretLost(errors.Unavailable):
    """A secret is not there any more, where the database says that it is."""

    code = "SECRET_LOST"

    def __init__(self, operator_text: str) -> None:
        super().__init__("A secret of the bay was lost. Tell the cloud's operator.", operator_text)


class RequestRefused(errors.InvalidField):
    """A signing request cannot be read, or asks for what may not be signed."""

    code = "CSR_REFUSED"

"""What a request is refused with."""


class Refused(Exception):
    """`code` is stable and for machines, `status` is HTTP's."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code = code
        self.status = status

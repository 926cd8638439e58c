from croupier.errors import InvalidArgument


class ArchiveRefused(InvalidArgument):
    """The archive is not taken, whole. Nothing of it was written anywhere."""

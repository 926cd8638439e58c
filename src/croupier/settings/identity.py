"""Which certificate a process shows, by its settings."""

from pathlib import Path

from croupier.pki.identity import MachineFiles
from croupier.settings.models import MachineSettings

FOLDER = "identity"
"""In the data folder."""


def identity_folder(settings: MachineSettings) -> Path:
    return settings.data / FOLDER


def machine_files(settings: MachineSettings) -> MachineFiles | None:
    """The files that the settings name, else those in the data folder; None where there are none, or plain text is wanted."""
    if settings.insecure:
        return None
    if settings.ca is not None and settings.cert is not None and settings.key is not None:
        return MachineFiles(ca=settings.ca, cert=settings.cert, key=settings.key)
    files = MachineFiles.of_folder(identity_folder(settings))
    return files if files.present else None

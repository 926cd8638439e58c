"""What is said of functions and of the objects they act on: one model for every spelling that is in the wild.

    file of a pack ──► strict_json ──► spelling ──► function │ entity ──► Descriptor ──► .function()  for the path of a call
    provider manifest ──┘              (where each         │ rules, shown │              .document()  in one spelling
                                        part belongs)      ▼                             .original    as it was written
                                                       schema, references
                                                      (JSON Schema 2020-12)

Whatever is wrong is a Fault with file, JSONPath and a sentence in English and Chinese, and all of them are told at once.
`schema.py` is the only home of jsonschema-rs. Nothing here knows of packs, providers or servers.
"""

from croupier.descriptors.changes import Change, Comparison
from croupier.descriptors.comparing import compare
from croupier.descriptors.entity import Descriptor, EntityDescriptor, Operation, Relationship
from croupier.descriptors.faults import Fault, FaultyDescriptor, Message
from croupier.descriptors.function import FunctionDescriptor
from croupier.descriptors.loading import Loaded, load_directory
from croupier.descriptors.manifest import Manifest, ProvidedOperation, ProviderMeta, read_manifest
from croupier.descriptors.reading import read_descriptor
from croupier.descriptors.schema import CompiledSchema, compile_schema
from croupier.descriptors.violations import SchemaFault

__all__ = [
    "Change",
    "Comparison",
    "CompiledSchema",
    "Descriptor",
    "EntityDescriptor",
    "Fault",
    "FaultyDescriptor",
    "FunctionDescriptor",
    "Loaded",
    "Manifest",
    "Message",
    "Operation",
    "ProvidedOperation",
    "ProviderMeta",
    "Relationship",
    "SchemaFault",
    "compare",
    "compile_schema",
    "load_directory",
    "read_descriptor",
    "read_manifest",
]

"""`protoc-gen-croupier`: a pack from .proto files whose methods carry the options of the contract (section 4).

    protoc ─ CodeGeneratorRequest ─► sources (names, comments, lines) ─► schema, form, description ─► pack ─ files ─► protoc
                                                                                    │
                                                  faults, each with file and line ◄─┘

The same input always gives the same bytes. docs/reference/protogen.md has the mapping.
"""

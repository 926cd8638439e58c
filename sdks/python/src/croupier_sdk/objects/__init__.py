"""What functions are about: virtual objects (entities with their operations), and components that bring both.

register_virtual_object ──► VirtualObject ──┐
register_component ──► Component ───────────┼──► Offering ──► the manifest that the platform is sent
@provider.function ──► Function ────────────┘
"""

"""Configuration files of sidecars."""


def sidecar_section(admin_socket, state_dir):
    return f"<sidecar>\n  admin-socket {admin_socket}\n  state-dir {state_dir}\n</sidecar>\n"


def _section(kind, name, keys, path):
    lines = [f"<{kind} {name}>"]
    lines += [f"  {key} {value}" for key, value in keys if value is not None]
    lines += ["  <filestorage>", f"    path {path}", "  </filestorage>", f"</{kind}>", ""]
    return "\n".join(lines)


def primary(path, address, name="main"):
    """A storage that serves `path` on `address`."""
    return _section("primary", name, [("address", address)], path)


def secondary(path, upstream, serve_on=None, name="main"):
    """A storage that follows `upstream`, and serves followers of its own on `serve_on`."""
    return _section("secondary", name, [("address", upstream), ("replicate-to", serve_on)], path)


def zrs(path, upstream=None, serve_on=None, name="main"):
    """The later product's form of either."""
    return _section("zrs", name, [("replicate-from", upstream), ("replicate-to", serve_on)], path)

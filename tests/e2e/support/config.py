"""Configuration files of sidecars."""


def sidecar_section(admin_socket, state_dir, keys=()):
    """`keys`: more of them, pairs of name and value."""
    keys = [("admin-socket", admin_socket), ("state-dir", state_dir), *keys]
    return "\n".join(["<sidecar>", *(f"  {key} {value}" for key, value in keys), "</sidecar>", ""])


def _section(kind, name, keys, path):
    lines = [f"<{kind} {name}>"]
    lines += [f"  {key} {value}" for key, value in keys if value is not None]
    lines += ["  <filestorage>", f"    path {path}", "  </filestorage>", f"</{kind}>", ""]
    return "\n".join(lines)


def primary(path, address, name="main", keys=()):
    """A storage that serves `path` on `address`."""
    return _section("primary", name, [("address", address), *keys], path)


def secondary(path, upstream, serve_on=None, name="main", keys=()):
    """A storage that follows `upstream`, and serves followers of its own on `serve_on`."""
    return _section("secondary", name, [("address", upstream), ("replicate-to", serve_on), *keys], path)


def zrs(path, upstream=None, serve_on=None, name="main"):
    """The later product's form of either."""
    return _section("zrs", name, [("replicate-from", upstream), ("replicate-to", serve_on)], path)

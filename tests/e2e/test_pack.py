"""A pack replaces the primary's file: that is noticed and reported, and the copy is left as it is."""

from support import database as db
from support.compare import assert_identical, read_bytes


def test_a_pack_is_noticed_and_not_followed(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    for number in range(20):
        db.put(client, "key", b"x" * 10_000 + bytes([number]))
    pair.until_identical()
    before = read_bytes(pair.copy)
    client.pack()
    error = pair.primary.until_state("stopped")["error"]
    assert "pack" in error["message"] or "replaced" in error["message"]
    assert error["remedy"]
    db.put(client, "key", "in the new file")
    pair.secondary.until_storage(lambda s: s["state"] != "streaming", "no longer streaming")
    assert read_bytes(pair.copy) == before
    assert_identical(zeo.path + ".old", pair.copy)


def test_a_pack_while_the_sidecar_was_down_is_noticed(lab):
    zeo = lab.zeo()
    pair = lab.pair(zeo.path)
    client = lab.client(zeo)
    for number in range(20):
        db.put(client, "key", b"x" * 10_000 + bytes([number]))
    pair.until_identical()
    pair.primary.stop()
    before = read_bytes(pair.copy)
    client.pack()
    db.put(client, "key", "in the new file")
    pair.primary.start()
    assert pair.primary.until_refused()["error"]["remedy"]
    assert read_bytes(pair.copy) == before

"""Who may open the copy: `owner`, `group` and `mode`, and what a ZEO server can do with it after a failover."""

import os
import pwd
import stat

from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.users import NOBODY, needs_root, sidecar_of_nobody


def fresh(lab, *keys, mode=0o640):
    """A pair whose secondary begins with these keys."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    os.chmod(path, mode)
    pair = lab.pair(path, keys=keys)
    pair.until_identical()
    return pair


def access(path):
    found = os.stat(path)
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


def test_the_copy_is_as_open_as_the_primarys_file(lab):
    pair = fresh(lab, mode=0o664)
    for name in (pair.copy, pair.copy + ".lock"):
        assert access(name)[0] == 0o664


def test_mode_as_configured(lab):
    pair = fresh(lab, ("mode", "600"), mode=0o664)
    for name in (pair.copy, pair.copy + ".lock"):
        assert access(name)[0] == 0o600


@needs_root
def test_owner_and_group_as_configured(lab):
    nobody = pwd.getpwnam("nobody")
    pair = fresh(lab, ("owner", "nobody"), ("group", "games"))
    for name in (pair.copy, pair.copy + ".lock"):
        assert access(name)[1] == nobody.pw_uid
        assert access(name)[2] == 60


def as_user(user, action):
    """What `action` raised as that user, in a process of its own, as text; "" when it did not."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            action()
        except BaseException as error:  # pylint: disable=broad-except
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(pid, 0)
    return text


@needs_root
def test_the_owner_opens_the_copy_for_writing_after_a_failover(lab):
    nobody = pwd.getpwnam("nobody")
    path, copy = lab.path("primary-data", "Data.fs"), lab.path("copy-data", "Data.fs")
    db.fill(path)
    os.chmod(path, 0o600)
    os.chown(os.path.dirname(copy), nobody.pw_uid, nobody.pw_gid)
    address = free_address()
    primary = lab.sidecar("primary", config.primary(path, address)).start()
    secondary = lab.sidecar("secondary", config.secondary(copy, address, keys=[("owner", "nobody")])).start()
    until_identical(path, copy)
    primary.stop()

    def commit():
        database = db.open_file(copy)
        db.put(database, "after", "failover")
        database.close()

    assert "LockError" in as_user(nobody, commit)
    secondary.stop()
    assert as_user(nobody, commit) == ""
    assert os.path.getsize(copy) > os.path.getsize(path)


@needs_root
def test_without_root_another_owner_is_refused_with_a_remedy(lab):
    """As nobody, who may not give files to others."""
    path = lab.path("primary-data", "Data.fs")
    db.fill(path)
    pair = lab.pair(path)
    copy = lab.path("by-nobody", "data", "Data.fs")
    os.chown(os.path.dirname(copy), NOBODY, NOBODY)
    secondary = sidecar_of_nobody(lab, "by-nobody", config.secondary(copy, pair.address, keys=[("owner", "games")]))
    secondary.start()
    storage = secondary.until_state("stopped")
    assert "Data.fs.lock" in storage["error"]["message"]
    assert not os.path.exists(copy)

"""`zrs check-config`: what it prints, and finds on the host, also as another user; and the data file by zeo-conf."""

import json
import os
import pwd
import shutil

import pytest
from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.sidecar import run_zrs
from support.users import NOBODY, as_nobody, needs_root
from support.zeo_server import ZeoServer


class Host:
    """A directory with a configuration in it, and what is told of that."""

    def __init__(self, lab):
        self._lab = lab
        self.directory = lab.path("host", "")
        os.makedirs(self.path("run"))
        os.makedirs(self.path("copy"))
        self.config = self.path("zrs.conf")

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def configure(self, *sections, log_file="STDERR"):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(config.sidecar_section(self.path("run", "zrs.sock"), self.path("run", "state"),
                                              [("log-file", log_file)]) + "\n".join(sections))

    def write(self, name, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("FS30")
        os.chmod(self.path(name), mode)

    def check(self, *arguments):
        """(exit code, stdout, lines of stderr)."""
        code, out, err = run_zrs("check-config", self.config, *arguments)
        return code, out, err.splitlines()

    def check_as_nobody(self):
        prefix, binary = as_nobody(self._lab)
        code, out, err = run_zrs(*prefix[1:], binary, "check-config", self.config, binary=prefix[0])
        return code, out, err.splitlines()

    def state_of_everything(self):
        """What a check must not change."""
        def entries():
            for parent, directories, files in os.walk(self.directory):
                for name in (*directories, *files):
                    stat = os.lstat(os.path.join(parent, name))
                    yield os.path.join(parent, name), stat.st_mode, stat.st_uid, stat.st_size, stat.st_mtime_ns
        return sorted(entries())


@pytest.fixture
def host(lab):
    return Host(lab)


def owned(host, owner="nobody", **keys):
    """A secondary in copy/, whose files are given to `owner`."""
    pairs = [("owner", owner), *((key.replace("_", "-"), value) for key, value in keys.items())]
    return config.secondary(host.path("copy", "Data.fs"), "127.0.0.1:5000", keys=pairs)


def test_effective_settings_are_a_configuration_of_the_same(host):
    host.write("Data.fs")
    host.configure(config.zrs(host.path("Data.fs"), serve_on="5000", name="a"),
                   config.zrs(host.path("copy", "Data.fs"), upstream="5001", serve_on="5000", name="b"))
    code, out, err = host.check()
    assert (code, err) == (0, [])
    assert "  max-lag 1m\n" in out
    assert f"  state-dir {host.path('run', 'state')}\n" in out
    again = host.path("again.conf")
    with open(again, "w", encoding="utf-8") as file:
        file.write(out)
    assert run_zrs("check-config", "--config", again) == (0, out, "")


def test_a_wrong_configuration(host):
    host.configure("<zrs main>\nreplicate-form 5000\n</zrs>\n")
    code, out, err = host.check()
    assert (code, out) == (2, "")
    assert err == [f'zrs: {host.config}:7: unknown key "replicate-form" in <zrs main>; did you mean replicate-from?']


def test_a_missing_configuration():
    code, out, err = run_zrs("check-config", "/no/such/file")
    assert (code, out) == (2, "")
    assert "/no/such/file: cannot read the configuration" in err
    assert run_zrs("check-config", "/no/such/file", "--config", "/no/other/file")[0] == 2


def test_a_file_that_is_no_filestorage(host):
    for name in "Data.fs", "copy/Data.fs":
        host.write(name)
        with open(host.path(name), "w", encoding="utf-8") as file:
            file.write("SQLite format 3")
    host.configure(config.primary(host.path("Data.fs"), "5000", name="a"),
                   config.secondary(host.path("copy", "Data.fs"), "127.0.0.1:5000", name="b"))
    code, _, err = host.check()
    assert code == 1
    for line, storage, name in zip(err[1:], "ab", ["data file", "copy"], strict=True):
        assert line.startswith(f'zrs: storage "{storage}": the {name} ') and "is no FileStorage" in line, err
        assert "'SQLi'" in line and "name the right file" in line


def test_what_is_no_file_is_not_opened(host):
    """Opening a pipe would wait for whoever writes to it."""
    os.mkfifo(host.path("Data.fs"))
    host.configure(config.primary(host.path("Data.fs"), "5000"))
    code, _, err = host.check()
    assert code == 1 and "is no regular file" in err[0], err


def test_a_copy_that_was_put_there_beforehand_is_no_problem(host):
    """The way to seed a large one."""
    host.write("copy/Data.fs")
    host.configure(config.secondary(host.path("copy", "Data.fs"), "127.0.0.1:5000"))
    code, _, err = host.check()
    assert code == 0
    assert len(err) == 1 and "zrs: note: " in err[0] and "adopts it where it is the same" in err[0], err


@pytest.mark.parametrize("changes, words", [
    ({"path": "/elsewhere/Data.fs"}, "was written for /elsewhere/Data.fs"),
    ({"machineId": "another"}, "was written on another machine"),
    ({"role": "primary", "version": 99}, "later"),
    ({"role": "emperor"}, "read state file"),
])
def test_a_state_file_that_the_start_would_refuse(lab, changes, words):
    pair = lab.synced_pair()
    for sidecar in pair.primary, pair.secondary:
        sidecar.stop()
        assert run_zrs("check-config", sidecar.config)[0] == 0
        path = os.path.join(sidecar.state_dir, "main.state")
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**state, **changes}, file)
        code, _, err = run_zrs("check-config", sidecar.config)
        assert code == 1 and words in err and path in err, err


def test_a_secondarys_state_beside_a_primary(lab):
    pair = lab.synced_pair()
    pair.primary.stop()
    pair.secondary.stop()
    shutil.copy(os.path.join(pair.secondary.state_dir, "main.state"), pair.primary.state_dir)
    with open(os.path.join(pair.primary.state_dir, "main.state"), "r+", encoding="utf-8") as file:
        state = file.read().replace(pair.copy, pair.path)
        file.seek(0)
        file.write(state)
        file.truncate()
    code, _, err = run_zrs("check-config", pair.primary.config)
    assert code == 1 and "is a secondary's copy" in err and "zrs promote" in err, err


def test_a_data_file_that_does_not_exist_yet_is_no_problem(host):
    host.configure(config.primary(host.path("Data.fs"), "5000"))
    code, _, err = host.check()
    assert code == 0
    assert err == [f'zrs: note: storage "main": the data file {host.path("Data.fs")} does not exist yet; zrs waits '
                   "until the database has made it"]


def test_all_problems_are_told_and_nothing_is_changed(host):
    os.makedirs(host.path("Data.fs"))
    host.write("run/zrs.sock")
    host.write("copy/Data.fs")
    host.write("file")
    host.configure(config.primary(host.path("Data.fs"), "5000", name="a"),
                   config.primary(host.path("nowhere", "Data.fs"), host.path("no-run", "a.sock"), name="b"),
                   config.secondary(host.path("copy", "Data.fs"), "5001", name="c"),
                   config.secondary(host.path("no-copy", "Data.fs"), "5001", name="d"),
                   log_file=host.path("file", "zrs.log"))
    before = host.state_of_everything()
    code, out, err = host.check()
    assert code == 1
    assert out.startswith("<sidecar>\n")
    for line, expected in zip(err, [
            f"note: storage \"c\": the copy {host.path('copy', 'Data.fs')} is there, but not its state "
            f"{host.path('run', 'state', 'c.state')}",
            f"admin-socket {host.path('run', 'zrs.sock')}: there is a file that is no socket; move it away",
            f"the directory of log-file {host.path('file')} cannot be written by user ",
            f"storage \"a\": the data file {host.path('Data.fs')} is no regular file; move it away",
            f"storage \"b\": the directory of its address {host.path('no-run')} cannot be written by user ",
            f"storage \"b\": the data file's directory {host.path('nowhere')} cannot be entered by user ",
            f"storage \"d\": the copy's directory {host.path('no-copy')} cannot be written by user ",
    ], strict=True):
        assert line.startswith(f"zrs: {expected}"), err
        assert "; " in line
    assert host.state_of_everything() == before


def test_several_addresses_to_follow(host):
    host.configure(config.secondary(host.path("nowhere", "Data.fs"), "one:5000  two:5000"))
    code, out, _ = host.check()
    assert code == 1
    assert "  replicate-from one:5000 two:5000" in out
    assert json.loads(host.check("--json")[1])["settings"]["storages"][0]["replicate-from"] == "one:5000 two:5000"
    host.configure(config.secondary(host.path("nowhere", "Data.fs"), "one:5000 two:5000 one:5000"))
    code, _, err = host.check()
    assert (code, err) == (2, [f"zrs: {host.config}:7: address names one:5000 twice; write each address once"])


def test_for_programs(host):
    host.configure(config.secondary(host.path("nowhere", "Data.fs"), "host:5000"))
    code, out, err = host.check("--json")
    told = json.loads(out)
    assert (code, err) == (1, [])
    assert told["config"] == host.config
    assert [problem["remedy"] for problem in told["problems"]] == ["create it, or name another one"]
    assert told["settings"]["sidecar"]["log-file"] == "STDERR"
    assert told["settings"]["storages"][0]["replicate-from"] == "host:5000"
    assert told["settings"]["storages"][0]["mode"] is None
    host.configure("<zrs>")
    code, out, _ = host.check("--json")
    told = json.loads(out)
    assert (code, told["settings"]) == (2, None)
    assert told["problems"] == [{"message": f"{host.config}:6: the file ends inside <zrs> of line 6",
                                 "remedy": "close it with </zrs>"}]


@needs_root
class TestOwner:
    """What the database's user may do, tried as that user."""

    @pytest.fixture(autouse=True)
    def _made(self, host):
        os.chown(host.path("copy"), NOBODY, NOBODY)
        host.configure(owned(host))

    def test_may_do_all(self, host):
        assert host.check()[0::2] == (0, [])

    def test_may_not_write_the_directory(self, host):
        os.chown(host.path("copy"), 0, 0)
        code, _, err = host.check()
        assert code == 1
        assert err == [f"zrs: storage \"main\": the copy's directory {host.path('copy')} cannot be written by user "
                       "nobody: Permission denied; give it to user nobody or a group of that user with these "
                       "permissions, and let user nobody enter every directory above it (permission x)"]
        os.chmod(host.path("copy"), 0o777)
        assert host.check()[0] == 0

    def test_may_write_the_directory_as_one_of_its_group(self, host):
        os.chown(host.path("copy"), 0, pwd.getpwnam("nobody").pw_gid)
        os.chmod(host.path("copy"), 0o770)
        assert host.check()[0] == 0

    def test_may_not_enter_a_directory_above(self, host):
        os.chmod(host.directory, 0o700)
        code, _, err = host.check()
        assert (code, len(err)) == (1, 1)
        assert "the copy's directory" in err[0] and "user nobody: Permission denied" in err[0]

    @pytest.mark.parametrize("suffix, what, verb", [("", "the copy", "read and written"),
                                                    (".lock", "the copy's lock", "read and written"),
                                                    (".index", "the copy's index", "read")])
    def test_may_not_open_a_file(self, host, suffix, what, verb):
        name = host.path("copy", "Data.fs") + suffix
        host.write(name, 0o600)
        code, _, err = host.check()
        problems = [line for line in err if not line.startswith("zrs: note: ")]
        assert (code, len(problems)) == (1, 1)
        assert f'storage "main": {what} {name} cannot be {verb} by user nobody: Permission denied;' in problems[0]
        os.chown(name, NOBODY, NOBODY)
        assert host.check()[0] == 0

    def test_that_has_no_entry_here(self, host):
        host.configure(owned(host, owner="54321"))
        code, _, err = host.check()
        assert (code, len(err)) == (1, 1)
        assert "by user 54321: Permission denied" in err[0]
        os.chown(host.path("copy"), 54321, 0)
        assert host.check()[0] == 0
        # With a group that is named.
        host.configure(owned(host, owner="54321", group="54322"))
        os.chown(host.path("copy"), 0, 54322)
        os.chmod(host.path("copy"), 0o770)
        assert host.check()[0] == 0


@needs_root
def test_another_user_than_root_cannot_give_files_away(host):
    for name in ("run", "copy"):
        os.chown(host.path(name), NOBODY, NOBODY)
    host.configure(owned(host, owner="root", group="daemon"))
    code, _, err = host.check_as_nobody()
    assert code == 1
    assert [line.split(";")[0] for line in err] == [
        'zrs: storage "main": user nobody cannot give the copy\'s files to user root, its owner',
        'zrs: storage "main": user nobody cannot give the copy\'s files to group 1, of which that user is no member']
    host.configure(owned(host, owner="nobody"))
    assert host.check_as_nobody()[0::2] == (0, [])


@needs_root
def test_what_the_user_who_runs_it_may_not_do(host):
    host.write("Data.fs", 0o600)
    host.configure(config.primary(host.path("Data.fs"), "5000", name="a"), owned(host, owner="nobody"),
                   log_file=host.path("zrs.log"))
    os.chmod(host.directory, 0o711)
    code, _, err = host.check_as_nobody()
    assert code == 1
    assert [line.removeprefix("zrs: ").split(": Permission denied")[0] for line in err] == [
        f"note: storage \"a\": the data file's directory {host.directory.rstrip('/')} cannot be read by user nobody: "
        "no notification comes from there, and changes are seen every 1s only",
        f"the directory of admin-socket {host.path('run')} cannot be written by user nobody",
        f"the directory of log-file {host.directory.rstrip('/')} cannot be written by user nobody",
        f"state-dir {host.path('run', 'state')} does not exist yet, and {host.path('run')} cannot be written by user "
        "nobody",
        f"storage \"a\": the data file {host.path('Data.fs')} cannot be read by user nobody",
        f"storage \"main\": the copy's directory {host.path('copy')} cannot be written by user nobody"]


def test_the_data_file_by_the_configuration_of_a_zeo_server(lab):
    zeo = lab.zeo()
    spare = ZeoServer(lab.path("spare", ""))  # for a failover: it is not started yet
    lab.at_close(spare.stop)
    address = free_address()
    primary = lab.sidecar("primary", f"<zrs main>\nreplicate-to {address}\nzeo-conf {zeo.config}\n</zrs>\n")
    secondary = lab.sidecar("secondary", f"<zrs main>\nreplicate-from {address}\nzeo-conf {spare.config}\n"
                                         "zeo-storage 1\n</zrs>\n")
    for sidecar, path in ((primary, zeo.path), (secondary, spare.path)):
        code, out, _ = run_zrs("check-config", sidecar.config)
        assert code == 0
        assert f"    path {path}\n" in out
        sidecar.start()
    client = lab.client(zeo)
    for number in range(20):
        db.put(client, f"key-{number}", number)
    until_identical(zeo.path, spare.path)
    primary.stop()
    secondary.stop()
    # The same zeo.conf opens what has been copied.
    assert db.get(lab.client(spare.start()), "key-19") == 19

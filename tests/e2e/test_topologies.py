"""More than one primary and one secondary."""

from support import config
from support import database as db
from support.compare import until_identical
from support.ports import free_address
from support.waiting import until


def test_a_chain_of_three(lab):
    zeo = lab.zeo()
    client = lab.client(zeo)
    db.put(client, "key", "before")
    pair = lab.pair(zeo.path)
    first, second = free_address(), free_address()
    middle_copy, last_copy = lab.path("middle", "Data.fs"), lab.path("last", "Data.fs")
    middle = lab.sidecar("middle", config.secondary(middle_copy, pair.address, serve_on=first)).start()
    last = lab.sidecar("last", config.zrs(last_copy, upstream=first, serve_on=second)).start()
    last.until_streaming()
    with db.Writers(client, threads=2) as writers:
        until(lambda: writers.total() > 50, "commits")
        middle.restart()
        middle.kill()
        middle.start()
        last.until_streaming()
    until_identical(zeo.path, pair.copy, middle_copy, last_copy)


def test_five_followers_at_once(lab):
    zeo = lab.zeo()
    client = lab.client(zeo)
    for number in range(20):
        db.put(client, number, b"x" * 100_000)
    address = free_address()
    primary = lab.sidecar("primary", config.primary(zeo.path, address)).start()
    copies = []
    with db.Writers(client, threads=2) as writers:
        for number in range(5):
            copies.append(lab.path(f"secondary-{number}", "Data.fs"))
            lab.sidecar(f"secondary-{number}", config.secondary(copies[-1], address)).start()
        until(lambda: len(primary.storage()["followers"]) == 5, "five followers")
        before = writers.total()
        until(lambda: writers.total() > before + 50, "commits")
    until_identical(zeo.path, *copies)
    assert primary.wait("--replicas", "5") == 0
    followers = primary.storage()["followers"]
    assert {follower["acknowledged"] for follower in followers} == {primary.storage()["committedEnd"]}


def test_two_storages_in_one_process(lab):
    paths = [lab.path("primary-data", f"{name}.fs") for name in ("one", "two")]
    databases = [db.open_file(path) for path in paths]
    for database in databases:
        lab.at_close(database.close)
    addresses = [free_address(), free_address()]
    copies = [lab.path("secondary", f"{name}.fs") for name in ("one", "two")]
    names = ("one", "two")
    primary = lab.sidecar("primary", *map(config.primary, paths, addresses, names))
    secondary = lab.sidecar("secondary", *(config.secondary(copy, address, name=name)
                                           for copy, address, name in zip(copies, addresses, names)))
    primary.start()
    secondary.start()
    for number in range(50):
        for index, database in enumerate(databases):
            db.put(database, number, b"x" * 1_000 * (index + 1))
    until_identical(paths[0], copies[0])
    until_identical(paths[1], copies[1])
    assert {storage["name"] for storage in secondary.status()["storages"]} == {"one", "two"}
    assert primary.wait("--all") == 0
    assert primary.wait("--storage", "two") == 0


def test_one_storages_trouble_does_not_stop_its_neighbour(lab):
    paths = [lab.path("primary-data", f"{name}.fs") for name in ("one", "two")]
    db.fill(paths[0])
    with open(paths[1], "wb") as file:
        file.write(b"this is no FileStorage at all")
    address = free_address()
    copy = lab.path("secondary", "Data.fs")
    primary = lab.sidecar("primary", config.primary(paths[0], address, "one"),
                          config.primary(paths[1], free_address(), "two"))
    primary.start()
    lab.sidecar("secondary", config.secondary(copy, address, name="one")).start()
    until_identical(paths[0], copy)
    error = primary.until_refused("two")["error"]
    assert paths[1] in error["message"]
    assert error["remedy"]
    assert primary.storage("one")["error"] is None


def test_the_later_products_section_form(lab):
    path, copy = lab.path("primary-data", "Data.fs"), lab.path("secondary", "Data.fs")
    db.fill(path)
    address = free_address()
    primary = lab.sidecar("primary", config.zrs(path, serve_on=address)).start()
    secondary = lab.sidecar("secondary", config.zrs(copy, upstream=address)).start()
    until_identical(path, copy)
    assert primary.storage()["role"] == "primary"
    assert secondary.storage()["role"] == "secondary"

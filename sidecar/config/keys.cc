#include "sidecar/config/keys.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace zrs::config {
namespace {

using enum ValueType;
using enum Effect;

constexpr KeySpec kKeys[] = {
    {"admin-socket", kSidecar, kSocket, false, "", "derived, see below", "", "", kAlways,
     "Unix socket on which `zrs status` and the other commands reach the running process."},
    {"health-address", kSidecar, kAddress, false, "", "none", "", "", kAlways,
     "Address where health, reflection and status (read-only) are answered. Naming one that is not loopback is consent "
     "to answer there without TLS."},
    {"state-dir", kSidecar, kDirectory, false, "", "derived, see below", "", "", kAlways,
     "Directory of the state files: identity and position of each storage."},
    {"log-file", kSidecar, kLogFile, false, "", "`STDERR`", "", "", kAlways,
     "File that messages are appended to, or `STDERR` for standard error; with that `zrs start` appends to "
     "`zrs.log` in the `state-dir`."},
    {"log-level", kSidecar, kLogLevel, false, "info", "", "", "", kAlways,
     "Least severe messages that are written: `debug`, `info`, `warning` or `error`."},
    {"stop-timeout", kSidecar, kTime, false, "30s", "", "0", "1h", kAlways,
     "How long a stop waits for connected followers to have everything."},

    {"replicate-from", kZrs, kAddresses, false, "", "none: a primary", "", "", kAlways,
     "Address of the sidecar to follow. A bare port is one on localhost. Several, up to 16, are those that may be the "
     "primary: the one that is this database's primary of the highest generation is followed."},
    {"replicate-to", kZrs | kSecondary, kAddress, false, "", "none", "", "", kAlways,
     "Address to listen on for followers. A bare port is on all interfaces."},
    {"address", kPrimary, kAddress, true, "", "", "", "", kAlways,
     "Address to listen on for followers, as `replicate-to` in `<zrs>`."},
    {"address", kSecondary, kAddresses, true, "", "", "", "", kAlways,
     "Address, or addresses, of the sidecar to follow, as `replicate-from` in `<zrs>`."},
    {"source-name", kZrs | kSecondary, kStorageName, false, "", "the only one, or of the same name", "", "", kFollowing,
     "Name of the storage to follow at that address."},
    {"insecure", kStorages, kBoolean, false, "off", "", "", "", kListening,
     "Answer followers on other hosts without encryption and without asking who they are."},
    {"max-followers", kStorages, kInteger, false, "64", "", "1", "1000", kListening,
     "Most followers that are connected at the same time."},
    {"inspect-rate", kStorages, kByteSize, false, "200MB", "", "", "", kListening,
     "Most bytes in a second that are read for secondaries which compare their copies, and as many again to look where "
     "those are that connect; 0 for no bound."},
    {"keep-alive-delay", kStorages, kTime, false, "2s", "", "10ms", "1h", kAlways,
     "In a primary the longest time between two heartbeats; in a secondary the longest silence towards its upstream, "
     "so that nothing between them forgets the connection."},
    {"poll-interval", kZrs | kPrimary, kTime, false, "1s", "", "10ms", "1h", kPrimaryOnly,
     "How often the file is looked at when no notification came; a fifth as often where notifications have told of "
     "everything for a while."},
    {"reconnect-delay", kZrs | kSecondary, kTime, false, "10s", "", "10ms", "1h", kFollowing,
     "Longest pause between two attempts to connect, and the pause after a refusal."},
    {"max-lag", kZrs | kSecondary, kTime, false, "60s", "", "1s", "1d", kFollowing,
     "How far it may be behind before its health says so."},
    {"scrub-interval", kZrs | kSecondary, kTime, false, "7d", "", "0", "365d", kFollowing,
     "How long after one comparison of the whole copy with its upstream's file the next one begins by itself; 0 for "
     "never."},
    {"scrub-rate", kZrs | kSecondary, kByteSize, false, "20MB", "", "", "", kFollowing,
     "Bytes in a second that are compared then; 0 for no bound."},
    {"index-interval", kZrs | kSecondary, kTime, false, "10m", "", "0", "365d", kFollowing,
     "How long after one update of the copy's `Data.fs.index` the next one begins by itself, if something was "
     "committed "
     "meanwhile; 0 for never."},
    {"keep-old", kZrs | kSecondary, kBoolean, false, "on", "", "", "", kFollowing,
     "After a pack of the primary, keep the copy that was replaced as `Data.fs.old`, until the next one. `off` leaves "
     "one that is there already: remove it yourself."},
    {"on-swap", kZrs | kSecondary, kText, false, "", "none", "", "", kFollowing,
     "Command for `/bin/sh -c`, run after a packed file has taken the copy's place: readers that stay open have to "
     "reopen it. It finds `ZRS_STORAGE` and `ZRS_PATH` in its environment. Run at least once for each swap: again at "
     "the next start where zrs ended before it did; one more run tells of all swaps that came while it ran. "
     "Where it fails, the log and the status have the last 1 KiB that it printed."},
    {"fence-command", kZrs | kSecondary, kText, false, "", "none", "", "", kFollowing,
     "Command for `/bin/sh -c`, run by `zrs promote` first: it makes sure that the old primary is written to no more, "
     "and ends with 0 only then; else nothing is promoted. It finds `ZRS_STORAGE`, `ZRS_PATH` and `ZRS_UPSTREAM`, the "
     "address that was followed last, in its environment (written `$$ZRS_UPSTREAM` here, as a `$` alone begins a "
     "definition of this file). Where it fails, the answer and the log have the last 1 KiB that it "
     "printed."},
    {"owner", kZrs | kSecondary, kUser, false, "", "unchanged", "", "", kFollowing,
     "User that the copy's files are given to: the one that the database runs as after a failover."},
    {"group", kZrs | kSecondary, kGroup, false, "", "the owner's, else unchanged", "", "", kFollowing,
     "Group that the copy's files are given to."},
    {"mode", kZrs | kSecondary, kMode, false, "", "as the primary file's mode", "", "", kFollowing,
     "Permissions of the copy's files."},
    {"zeo-conf", kStorages, kFile, false, "", "none", "", "", kAlways,
     "The database's own configuration, to take the data file's name from; instead of a `<filestorage>`."},
    {"zeo-storage", kStorages, kStorageName, false, "1", "", "", "", kAlways,
     "Name of the storage in that configuration. Only with `zeo-conf`."},
    {"blobs", kStorages, kBlobs, false, "", "none", "", "", kAlways,
     "`external`: blobs are shared or copied by other means; needed where a `blob-dir` is named."},

    {"path", kFileStorage, kFile, true, "", "", "", "", kAlways,
     "The data file: the primary's, or the copy that a secondary keeps."},
    {"blob-dir", kFileStorage, kDirectory, false, "", "none", "", "", kIgnored,
     "An error unless the storage says `blobs external`."},
    {"create", kFileStorage, kBoolean, false, "", "none", "", "", kIgnored, "Accepted; means nothing here."},
    {"read-only", kFileStorage, kBoolean, false, "", "none", "", "", kIgnored, "Accepted; means nothing here."},
    {"quota", kFileStorage, kByteSize, false, "", "none", "", "", kIgnored, "Accepted; means nothing here."},
    {"packer", kFileStorage, kText, false, "", "none", "", "", kIgnored, "Accepted; means nothing here."},
    {"pack-gc", kFileStorage, kBoolean, false, "", "none", "", "", kIgnored, "Accepted; means nothing here."},
    {"pack-keep-old", kFileStorage, kBoolean, false, "", "none", "", "", kIgnored, "Accepted; means nothing here."},
};

constexpr SectionKind kKinds[] = {kSidecar, kZrs, kPrimary, kSecondary, kFileStorage};

constexpr std::pair<absl::string_view, absl::string_view> kRetired[] = {
    {"check-checksums", "remove the line: every byte is checked by digest, always"},
    {"filestorage-path", "write <filestorage>, a line \"path /path/to/Data.fs\" and </filestorage>"},
    {"zookeeper", "remove the line: addresses are not registered in ZooKeeper"},
    {"replicate-from-zookeeper", "write the address itself, as replicate-from HOST:PORT"},
};

}  // namespace

std::span<const KeySpec> Keys() { return kKeys; }

const KeySpec* FindKey(SectionKind kind, absl::string_view name) {
  for (const KeySpec& key : kKeys) {
    if ((key.sections & kind) != 0 && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<absl::string_view> KeyNames(SectionKind kind) {
  std::vector<absl::string_view> names;
  for (const KeySpec& key : kKeys) {
    if ((key.sections & kind) != 0) names.push_back(key.name);
  }
  return names;
}

absl::string_view SectionType(SectionKind kind) {
  switch (kind) {
    case kSidecar:
      return "sidecar";
    case kZrs:
      return "zrs";
    case kPrimary:
      return "primary";
    case kSecondary:
      return "secondary";
    case kFileStorage:
      return "filestorage";
  }
  return "";
}

std::string SectionsWithKey(absl::string_view name) {
  std::vector<std::string> sections;
  for (const SectionKind kind : kKinds) {
    if (FindKey(kind, name) != nullptr) sections.push_back(absl::StrCat("<", SectionType(kind), ">"));
  }
  return absl::StrJoin(sections, " and ");
}

absl::string_view TypeName(ValueType type) {
  switch (type) {
    case kAddress:
      return "address";
    case kAddresses:
      return "addresses";
    case kBlobs:
      return "`external`";
    case kBoolean:
      return "boolean";
    case kByteSize:
      return "byte size";
    case kDirectory:
      return "directory";
    case kFile:
    case kLogFile:
      return "file";
    case kGroup:
      return "group";
    case kInteger:
      return "integer";
    case kLogLevel:
      return "word";
    case kMode:
      return "permissions";
    case kSocket:
      return "Unix socket";
    case kStorageName:
      return "name";
    case kText:
      return "text";
    case kTime:
      return "time interval";
    case kUser:
      return "user";
  }
  return "";
}

absl::string_view RetiredKeyRemedy(absl::string_view name) {
  for (const auto& [key, remedy] : kRetired) {
    if (key == name) return remedy;
  }
  return "";
}

}  // namespace zrs::config

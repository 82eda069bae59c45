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
    {"state-dir", kSidecar, kDirectory, false, "", "derived, see below", "", "", kAlways,
     "Directory of the state files: identity and position of each storage."},
    {"log-file", kSidecar, kLogFile, false, "", "`STDERR`", "", "", kAlways,
     "File that messages are appended to, or `STDERR` for standard error."},
    {"log-level", kSidecar, kLogLevel, false, "info", "", "", "", kAlways,
     "Least severe messages that are written: `debug`, `info`, `warning` or `error`."},
    {"stop-timeout", kSidecar, kTime, false, "30s", "", "0", "1h", kAlways,
     "How long a stop waits for connected followers to have everything."},

    {"replicate-from", kZrs, kAddress, false, "", "none: a primary", "", "", kAlways,
     "Address of the sidecar to follow. A bare port is one on localhost."},
    {"replicate-to", kZrs | kSecondary, kAddress, false, "", "none", "", "", kAlways,
     "Address to listen on for followers. A bare port is on all interfaces."},
    {"address", kPrimary, kAddress, true, "", "", "", "", kAlways,
     "Address to listen on for followers, as `replicate-to` in `<zrs>`."},
    {"address", kSecondary, kAddress, true, "", "", "", "", kAlways,
     "Address of the sidecar to follow, as `replicate-from` in `<zrs>`."},
    {"source-name", kZrs | kSecondary, kStorageName, false, "", "see below", "", "", kFollowing,
     "Name of the storage to follow at that address."},
    {"insecure", kStorages, kBoolean, false, "off", "", "", "", kListening,
     "Answer followers on other hosts without encryption and without asking who they are."},
    {"max-followers", kStorages, kInteger, false, "64", "", "1", "1000", kListening,
     "Most followers that are connected at the same time."},
    {"keep-alive-delay", kStorages, kTime, false, "1s", "", "10ms", "1h", kAlways,
     "Time between two heartbeats of a primary; of no effect while the storage is a secondary."},
    {"poll-interval", kStorages, kTime, false, "1s", "", "10ms", "1h", kAlways,
     "How often a primary looks at its file when no notification came; of no effect while the storage is a secondary."},
    {"reconnect-delay", kZrs | kSecondary, kTime, false, "10s", "", "10ms", "1h", kFollowing,
     "Longest pause between two attempts to connect, and the pause after a refusal."},
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
    case kInteger:
      return "integer";
    case kLogLevel:
      return "word";
    case kSocket:
      return "Unix socket";
    case kStorageName:
      return "name";
    case kText:
      return "text";
    case kTime:
      return "time interval";
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

#include "sidecar/config/storage_section.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sidecar/address/address.h"
#include "sidecar/config/database_file.h"
#include "sidecar/config/file_access.h"
#include "sidecar/config/file_storage.h"
#include "sidecar/config/section_values.h"

namespace zrs::config {
namespace {

using address::Address;

// Whether who connects to `upstream` reaches who listens on `listen`, as far as names tell.
bool IsOwn(const Address& upstream, const Address& listen) {
  if (upstream == listen) return true;
  if (upstream.is_unix() || listen.is_unix() || upstream.port != listen.port) return false;
  return IsLoopback(upstream) && (IsLoopback(listen) || IsEveryInterface(listen));
}

// Where the two addresses are written in sections of each kind; "" where there is no such key.
struct AddressKeys {
  absl::string_view upstream;
  absl::string_view listen;
};
AddressKeys KeysFor(SectionKind kind) {
  if (kind == kPrimary) return {"", "address"};
  if (kind == kSecondary) return {"address", "replicate-to"};
  return {"replicate-from", "replicate-to"};
}

absl::StatusOr<std::string> StorageName(const Section& section) {
  if (section.name.empty()) return std::string(kUnnamedStorage);
  absl::StatusOr<std::string> name = ParseStorageName(section.name);
  if (name.ok()) return name;
  return absl::InvalidArgumentError(absl::StrCat(section.location.ToString(), ": ", name.status().message()));
}

absl::Status SetAddresses(const SectionValues& values, SectionKind kind, StorageSettings* settings) {
  const AddressKeys keys = KeysFor(kind);
  std::vector<Address> upstreams = values.AddressesOf(keys.upstream);
  const Address listen = values.AddressOf(keys.listen);
  const bool follows = !upstreams.empty();
  const bool listens = listen != Address();
  if (!follows && !listens) {
    return ErrorAt(values.section().location,
                   absl::StrCat(HeaderText(values.section()), " has neither replicate-from nor replicate-to"),
                   "add replicate-to ADDRESS for a primary, or replicate-from ADDRESS for a secondary");
  }
  std::vector<std::string> texts;
  for (Address& upstream : upstreams) {
    if (!upstream.is_unix() && upstream.host.empty()) upstream.host = "localhost";
    if (listens && IsOwn(upstream, listen)) {
      return ErrorAt(values.At(keys.upstream),
                     absl::StrCat(keys.upstream, " ", AddressText(upstream), " is the storage's own ", keys.listen, " ",
                                  AddressText(listen)),
                     "a storage cannot follow itself: change one of the two");
    }
    const std::string text = AddressText(upstream);
    if (std::find(texts.begin(), texts.end(), text) != texts.end()) {
      return ErrorAt(values.At(keys.upstream), absl::StrCat(keys.upstream, " names ", text, " twice"),
                     "write each address once");
    }
    texts.push_back(text);
  }
  settings->replicate_from = absl::StrJoin(texts, " ");
  if (listens) settings->listen = AddressText(listen);
  return absl::OkStatus();
}

// Nothing is accepted that has no effect.
absl::Status CheckEffects(const SectionValues& values, SectionKind kind, const StorageSettings& settings) {
  for (const Key& key : values.section().keys) {
    const Effect effect = FindKey(kind, key.name)->effect;
    if (effect == Effect::kListening && settings.listen.empty()) {
      return ErrorAt(key.location, absl::StrCat(key.name, " without replicate-to has no effect"),
                     "it belongs where followers connect to: remove it here, or add replicate-to ADDRESS");
    }
    if (effect == Effect::kFollowing && settings.is_primary()) {
      return ErrorAt(key.location, absl::StrCat(key.name, " without replicate-from has no effect"),
                     "it belongs where a copy is kept: remove it here, or add replicate-from ADDRESS");
    }
    if (effect == Effect::kPrimaryOnly && !settings.is_primary()) {
      return ErrorAt(key.location, absl::StrCat(key.name, " with replicate-from has no effect"),
                     "it belongs where somebody else writes the file: remove it here, or remove replicate-from");
    }
  }
  return absl::OkStatus();
}

// The database's own configuration says where the file is.
absl::Status SetDatabasePath(const SectionValues& values, const Environment& environment, StorageSettings* settings) {
  const Section& section = values.section();
  const Location& at = values.At("zeo-conf");
  if (!section.sections.empty()) {
    const Section& inner = section.sections.front();
    return ErrorAt(inner.location, absl::StrCat(HeaderText(inner), " beside the zeo-conf of ", at.ToString()),
                   "one of them names the data file: remove the other");
  }
  const std::string file = values.Text("zeo-conf");
  const absl::StatusOr<Section> root = ParseZConfigTolerantly(file, environment.read_file, environment.get_environment);
  if (!root.ok()) {
    if (absl::IsInvalidArgument(root.status())) return root.status();
    return absl::InvalidArgumentError(absl::StrCat(at.ToString(), ": zeo-conf: ", root.status().message()));
  }
  absl::StatusOr<DatabaseFile> found =
      FindDatabaseFile(*root, values.Text("zeo-storage"), section, settings->blobs_external);
  if (!found.ok()) return found.status();
  settings->path = std::move(found->path);
  settings->path_origin = found->location.ToString();
  return absl::OkStatus();
}

absl::Status SetPath(const SectionValues& values, const std::string& directory, const Environment& environment,
                     StorageSettings* settings) {
  if (values.Written("zeo-conf") != nullptr) return SetDatabasePath(values, environment, settings);
  if (const Key* name = values.Written("zeo-storage")) {
    return ErrorAt(name->location, "zeo-storage without zeo-conf has no effect",
                   "add zeo-conf FILE, or remove it here");
  }
  absl::StatusOr<std::string> path = ReadFileStoragePath(values.section(), directory, settings->blobs_external);
  if (!path.ok()) return path.status();
  settings->path = *std::move(path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StorageSettings> ReadStorage(const Section& section, SectionKind kind, const std::string& directory,
                                            const Environment& environment) {
  absl::StatusOr<std::string> name = StorageName(section);
  if (!name.ok()) return name.status();
  const absl::StatusOr<SectionValues> values = SectionValues::Read(section, kind, directory);
  if (!values.ok()) return values.status();

  StorageSettings settings;
  settings.name = *std::move(name);
  settings.blobs_external = values->Written("blobs") != nullptr;
  settings.file = *section.location.file;
  settings.line = section.location.line;
  if (absl::Status status = SetPath(*values, directory, environment, &settings); !status.ok()) return status;
  if (absl::Status status = SetAddresses(*values, kind, &settings); !status.ok()) return status;
  if (absl::Status status = CheckEffects(*values, kind, settings); !status.ok()) return status;
  settings.source_name = values->Text("source-name");
  settings.insecure = values->Boolean("insecure");
  settings.max_followers = static_cast<uint32_t>(values->Integer("max-followers"));
  settings.inspect_rate = values->ByteSize("inspect-rate");
  settings.keep_alive_delay = values->Time("keep-alive-delay");
  if (settings.is_primary()) {
    settings.poll_interval = values->Time("poll-interval");
    return settings;
  }
  settings.reconnect_delay = values->Time("reconnect-delay");
  settings.max_lag = values->Time("max-lag");
  settings.scrub_interval = values->Time("scrub-interval");
  settings.scrub_rate = values->ByteSize("scrub-rate");
  settings.index_interval = values->Time("index-interval");
  settings.keep_old = values->Boolean("keep-old");
  settings.on_swap = values->Text("on-swap");
  settings.fence_command = values->Text("fence-command");
  if (absl::Status status = ReadFileAccess(*values, environment, &settings); !status.ok()) return status;
  return settings;
}

}  // namespace zrs::config

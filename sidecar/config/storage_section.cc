#include "sidecar/config/storage_section.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sidecar/config/file_storage.h"
#include "sidecar/config/section_values.h"
#include "sidecar/config/text.h"
#include "sidecar/config/values.h"

namespace zrs::config {
namespace {

constexpr absl::string_view kUnnamed = "1";

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}
bool IsEveryInterface(const std::string& host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

// Whether who connects to `upstream` reaches who listens on `listen`, as far as names tell.
bool IsOwn(const Address& upstream, const Address& listen) {
  if (upstream == listen) return true;
  if (upstream.is_unix() || listen.is_unix() || upstream.port != listen.port) return false;
  return IsLoopback(upstream.host) && (IsLoopback(listen.host) || IsEveryInterface(listen.host));
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
  if (section.name.empty()) return std::string(kUnnamed);
  if (IsStorageName(section.name)) return section.name;
  return ErrorAt(section.location, absl::StrCat(Quoted(section.name), " cannot be the name of a storage"),
                 "use up to 64 letters, digits, '.', '_' and '-', a letter or digit first");
}

absl::Status SetAddresses(const SectionValues& values, SectionKind kind, StorageSettings* settings) {
  const AddressKeys keys = KeysFor(kind);
  Address upstream = values.AddressOf(keys.upstream);
  const Address listen = values.AddressOf(keys.listen);
  const bool follows = upstream != Address();
  const bool listens = listen != Address();
  if (!follows && !listens) {
    return ErrorAt(values.section().location,
                   absl::StrCat(HeaderText(values.section()), " has neither replicate-from nor replicate-to"),
                   "add replicate-to ADDRESS for a primary, or replicate-from ADDRESS for a secondary");
  }
  if (follows && !upstream.is_unix() && upstream.host.empty()) upstream.host = "localhost";
  if (follows && listens && IsOwn(upstream, listen)) {
    return ErrorAt(values.At(keys.upstream),
                   absl::StrCat(keys.upstream, " ", AddressText(upstream), " is the storage's own ", keys.listen, " ",
                                AddressText(listen)),
                   "a storage cannot follow itself: change one of the two");
  }
  if (follows) settings->replicate_from = AddressText(upstream);
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
                     "a primary connects to nobody: remove it here, or add replicate-from ADDRESS");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StorageSettings> ReadStorage(const Section& section, SectionKind kind, const std::string& directory) {
  absl::StatusOr<std::string> name = StorageName(section);
  if (!name.ok()) return name.status();
  const absl::StatusOr<SectionValues> values = SectionValues::Read(section, kind, directory);
  if (!values.ok()) return values.status();
  absl::StatusOr<std::string> path = ReadFileStoragePath(section, directory, values->Written("blobs") != nullptr);
  if (!path.ok()) return path.status();

  StorageSettings settings;
  settings.name = *std::move(name);
  settings.path = *std::move(path);
  settings.file = *section.location.file;
  settings.line = section.location.line;
  if (absl::Status status = SetAddresses(*values, kind, &settings); !status.ok()) return status;
  if (absl::Status status = CheckEffects(*values, kind, settings); !status.ok()) return status;
  settings.source_name = values->Text("source-name");
  settings.insecure = values->Boolean("insecure");
  settings.max_followers = static_cast<uint32_t>(values->Integer("max-followers"));
  settings.keep_alive_delay = values->Time("keep-alive-delay");
  settings.poll_interval = values->Time("poll-interval");
  if (!settings.is_primary()) settings.reconnect_delay = values->Time("reconnect-delay");
  return settings;
}

}  // namespace zrs::config

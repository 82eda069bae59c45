#include "sidecar/config/loader.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sidecar/address/address.h"
#include "sidecar/config/conflicts.h"
#include "sidecar/config/keys.h"
#include "sidecar/config/nearest.h"
#include "sidecar/config/paths.h"
#include "sidecar/config/section_values.h"
#include "sidecar/config/storage_section.h"
#include "sidecar/text/printable.h"

namespace zrs::config {
namespace {

using text::Quoted;

constexpr absl::string_view kTypes[] = {"zrs", "primary", "secondary", "sidecar"};

// What stands at the top level.
struct TopLevel {
  const Section* sidecar = nullptr;
  std::vector<std::pair<const Section*, SectionKind>> storages;
};

absl::Status UnknownSection(const Section& section) {
  const std::string what = absl::StrCat("unknown section ", HeaderText(section));
  const absl::string_view near = Nearest(section.type, kTypes);
  if (!near.empty()) return ErrorAt(section.location, what, absl::StrCat("did you mean <", near, ">?"));
  if (section.type == "filestorage") {
    return ErrorAt(section.location, "<filestorage> outside of a storage's section", "put it inside <zrs NAME>");
  }
  return ErrorAt(section.location, what,
                 "at the top level are <zrs NAME>, <primary NAME>, <secondary NAME> and <sidecar>; what wraps a "
                 "<filestorage> belongs inside <zrs NAME>");
}

absl::Status AddSection(const Section& section, TopLevel* top) {
  for (const SectionKind kind : {kZrs, kPrimary, kSecondary}) {
    if (section.type != SectionType(kind)) continue;
    top->storages.emplace_back(&section, kind);
    return absl::OkStatus();
  }
  if (section.type != SectionType(kSidecar)) return UnknownSection(section);
  if (top->sidecar != nullptr) {
    return ErrorAt(section.location,
                   absl::StrCat("a second <sidecar>, after the one at ", top->sidecar->location.ToString()),
                   "write all of it in one section");
  }
  if (!section.name.empty()) {
    return ErrorAt(section.location, absl::StrCat(HeaderText(section), " has a name"), "write <sidecar>");
  }
  if (!section.sections.empty()) {
    const Section& inner = section.sections.front();
    return ErrorAt(inner.location, absl::StrCat(HeaderText(inner), " inside <sidecar>"), "close <sidecar> above it");
  }
  top->sidecar = &section;
  return absl::OkStatus();
}

absl::StatusOr<TopLevel> ReadTopLevel(const Section& root) {
  if (!root.keys.empty()) {
    const Key& key = root.keys.front();
    const std::string where = SectionsWithKey(key.name);
    return ErrorAt(
        key.location, absl::StrCat("the key ", Quoted(key.name), " outside of any section"),
        where.empty() ? "put it inside the section that it belongs to" : absl::StrCat("it belongs in ", where));
  }
  TopLevel top;
  for (const Section& section : root.sections) {
    if (absl::Status status = AddSection(section, &top); !status.ok()) return status;
  }
  if (top.storages.empty()) {
    return ErrorAt(root.location, "no storage", "add a section <zrs NAME>, <primary NAME> or <secondary NAME>");
  }
  return top;
}

absl::StatusOr<std::string> OrDefault(std::string written, absl::StatusOr<std::string> derived,
                                      const Location& location) {
  if (!written.empty()) return written;
  if (derived.ok()) return derived;
  return absl::InvalidArgumentError(absl::StrCat(location.ToString(), ": ", derived.status().message()));
}

absl::StatusOr<SidecarSettings> ReadSidecar(const Section& section, const std::string& directory,
                                            const std::string& real_path, const Environment& environment) {
  const absl::StatusOr<SectionValues> values = SectionValues::Read(section, kSidecar, directory);
  if (!values.ok()) return values.status();
  absl::StatusOr<std::string> admin_socket =
      OrDefault(values->Text("admin-socket"), DefaultAdminSocket(real_path, environment), section.location);
  if (!admin_socket.ok()) return admin_socket.status();
  absl::StatusOr<std::string> state_dir =
      OrDefault(values->Text("state-dir"), DefaultStateDirectory(real_path, environment), section.location);
  if (!state_dir.ok()) return state_dir.status();

  SidecarSettings settings;
  settings.admin_socket = *std::move(admin_socket);
  const address::Address health = values->AddressOf("health-address");
  if (health != address::Address()) settings.health_address = AddressText(health);
  if (settings.health_address == settings.admin_socket) {
    return ErrorAt(values->At("health-address"), "health-address is the admin-socket", "choose another one for it");
  }
  settings.state_dir = *std::move(state_dir);
  settings.log_file = values->Text("log-file");
  settings.log_level = values->Level("log-level");
  settings.stop_timeout = values->Time("stop-timeout");
  return settings;
}

}  // namespace

absl::StatusOr<Settings> LoadSettings(const std::string& path) { return LoadSettings(path, ProcessEnvironment()); }

absl::StatusOr<Settings> LoadSettings(const std::string& path, const Environment& environment) {
  if (path.empty()) {
    return absl::InvalidArgumentError(
        "the configuration's name is empty; name a file, as in --config /etc/zrs/zrs.conf");
  }
  Settings settings;
  settings.file = (std::filesystem::path(environment.working_directory) / path).string();
  const absl::StatusOr<Section> root = ParseZConfig(settings.file, environment.read_file, environment.get_environment);
  if (!root.ok()) return root.status();
  const absl::StatusOr<TopLevel> top = ReadTopLevel(*root);
  if (!top.ok()) return top.status();

  const std::string directory = std::filesystem::path(settings.file).parent_path().string();
  Section absent;
  absent.type = "sidecar";
  absent.location = root->location;
  absl::StatusOr<SidecarSettings> sidecar = ReadSidecar(top->sidecar != nullptr ? *top->sidecar : absent, directory,
                                                        IdentifyingPath(settings.file, environment), environment);
  if (!sidecar.ok()) return sidecar.status();
  settings.sidecar = *std::move(sidecar);
  for (const auto& [section, kind] : top->storages) {
    absl::StatusOr<StorageSettings> storage = ReadStorage(*section, kind, directory, environment);
    if (!storage.ok()) return storage.status();
    settings.storages.push_back(*std::move(storage));
  }
  if (absl::Status status = CheckConflicts(settings, environment); !status.ok()) return status;
  return settings;
}

}  // namespace zrs::config

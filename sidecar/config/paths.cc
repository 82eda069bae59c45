#include "sidecar/config/paths.h"

#include <xxhash.h>

#include <filesystem>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sidecar/address/address.h"
#include "sidecar/text/printable.h"

namespace zrs::config {
namespace {

using text::Quoted;

absl::Status Error(absl::string_view what, absl::string_view remedy) {
  return absl::InvalidArgumentError(absl::StrCat(what, "; ", remedy));
}

std::string ShortDigest(const std::string& real_path) {
  return absl::StrCat(absl::Hex(XXH3_64bits(real_path.data(), real_path.size()), absl::kZeroPad16));
}

// The base directories of the XDG specification, which says that relative ones are to be ignored.
std::optional<std::string> AbsoluteVariable(const Environment& environment, const std::string& name) {
  std::optional<std::string> value = environment.get_environment(name);
  if (!value || !absl::StartsWith(*value, "/")) return std::nullopt;
  return value;
}

}  // namespace

absl::StatusOr<std::string> ResolvePath(absl::string_view text, const std::string& directory, bool is_file) {
  if (text.empty()) return Error("the path is empty", "write a path");
  const bool quoted = text.size() > 1 && (text[0] == '"' || text[0] == '\'') && text[0] == text[text.size() - 1];
  if (quoted) return Error("the path is in quotes", "remove them: values are not quoted here");
  if (is_file && absl::EndsWith(text, "/")) {
    return Error(absl::StrCat(Quoted(text), " names a directory"), "write the path of a file");
  }
  while (absl::ConsumePrefix(&text, "./")) continue;  // for people; "x/.." may mean something where x is a link
  std::string path = (std::filesystem::path(directory) / std::string(text)).string();
  while (path.size() > 1 && absl::EndsWith(path, "/")) path.pop_back();
  return path;
}

std::string IdentifyingPath(const std::string& path, const Environment& environment) {
  if (const std::optional<std::string> real = environment.real_path(path)) return *real;
  const std::filesystem::path as_path(path);
  const std::optional<std::string> parent = environment.real_path(as_path.parent_path().string());
  if (parent) return (std::filesystem::path(*parent) / as_path.filename()).string();
  return as_path.lexically_normal().string();
}

absl::StatusOr<std::string> DefaultAdminSocket(const std::string& real_path, const Environment& environment) {
  std::string directory = absl::StrCat("/tmp/zrs-", environment.user_id);
  if (environment.user_id == 0) {
    directory = "/run/zrs";
  } else if (const std::optional<std::string> runtime = AbsoluteVariable(environment, "XDG_RUNTIME_DIR")) {
    directory = (std::filesystem::path(*runtime) / "zrs").string();
  }
  std::string path = absl::StrCat(directory, "/", ShortDigest(real_path), ".sock");
  if (!address::CheckSocketPath(path).ok()) {
    return Error(absl::StrCat("the default admin-socket ", path, " has ", path.size(),
                              " bytes, but the path of a Unix socket at most ", address::kMostSocketPathBytes),
                 "add a <sidecar> section with a shorter admin-socket");
  }
  return path;
}

absl::StatusOr<std::string> DefaultStateDirectory(const std::string& real_path, const Environment& environment) {
  const std::string digest = ShortDigest(real_path);
  if (environment.user_id == 0) return absl::StrCat("/var/lib/zrs/", digest);
  if (const std::optional<std::string> state = AbsoluteVariable(environment, "XDG_STATE_HOME")) {
    return (std::filesystem::path(*state) / "zrs" / digest).string();
  }
  if (const std::optional<std::string> home = AbsoluteVariable(environment, "HOME")) {
    return (std::filesystem::path(*home) / ".local/state/zrs" / digest).string();
  }
  return Error("no default for state-dir: the environment has neither XDG_STATE_HOME nor HOME",
               "add a <sidecar> section with a state-dir");
}

}  // namespace zrs::config

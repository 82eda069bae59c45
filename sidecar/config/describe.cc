#include "sidecar/config/describe.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "sidecar/config/keys.h"
#include "sidecar/config/values.h"

namespace zrs::config {
namespace {

using Value = std::optional<std::string>;

Value OrNone(const std::string& text) { return text.empty() ? Value() : text; }

std::string Word(bool value) { return value ? "on" : "off"; }

std::string Word(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

// A group that is its owner's has no name in the settings.
Value Group(const StorageSettings& settings) {
  if (!settings.group.empty()) return settings.group;
  return settings.group_id ? Value(absl::StrCat(*settings.group_id)) : std::nullopt;
}

bool HasEffect(const KeySpec& key, const StorageSettings& settings) {
  switch (key.effect) {
    case Effect::kAlways:
      return true;
    case Effect::kListening:
      return !settings.listen.empty();
    case Effect::kFollowing:
      return !settings.is_primary();
    case Effect::kPrimaryOnly:
      return settings.is_primary();
    case Effect::kIgnored:
      return false;
  }
  return false;
}

struct NamedValue {
  absl::string_view key;
  Value value;
};

Value ValueOf(absl::string_view key, const std::vector<NamedValue>& values) {
  for (const NamedValue& named : values) {
    if (named.key == key) return named.value;
  }
  return std::nullopt;
}

std::string Lines(const std::vector<EffectiveKey>& keys, absl::string_view indent) {
  std::string text;
  for (const EffectiveKey& key : keys) {
    if (key.value) {
      absl::StrAppend(&text, indent, key.name, " ", absl::StrReplaceAll(*key.value, {{"$", "$$"}}), "\n");
    } else {
      absl::StrAppend(&text, indent, "# ", key.name, ": ", key.otherwise, "\n");
    }
  }
  return text;
}

std::string StorageText(const StorageSettings& settings) {
  std::vector<EffectiveKey> keys = EffectiveKeys(settings);
  const EffectiveKey path = keys.back();
  keys.pop_back();
  const std::string origin =
      settings.path_origin.empty() ? "" : absl::StrCat("    # from ", settings.path_origin, "\n");
  return absl::StrCat("\n<zrs ", settings.name, ">\n  # a ", settings.is_primary() ? "primary" : "secondary", "\n",
                      Lines(keys, "  "), "  <filestorage>\n", origin, Lines({path}, "    "),
                      "  </filestorage>\n</zrs>\n");
}

}  // namespace

std::vector<EffectiveKey> EffectiveKeys(const SidecarSettings& settings) {
  const std::vector<NamedValue> values = {
      {"admin-socket", settings.admin_socket}, {"health-address", OrNone(settings.health_address)},
      {"state-dir", settings.state_dir},       {"log-file", settings.log_file.empty() ? "STDERR" : settings.log_file},
      {"log-level", Word(settings.log_level)}, {"stop-timeout", TimeIntervalText(settings.stop_timeout)},
  };
  std::vector<EffectiveKey> keys;
  for (const KeySpec& key : Keys()) {
    if ((key.sections & kSidecar) == 0) continue;
    keys.push_back({key.name, ValueOf(key.name, values), key.default_words});
  }
  return keys;
}

std::vector<EffectiveKey> EffectiveKeys(const StorageSettings& settings) {
  const std::vector<NamedValue> values = {
      {"replicate-from", OrNone(settings.replicate_from)},
      {"replicate-to", OrNone(settings.listen)},
      {"source-name", OrNone(settings.source_name)},
      {"insecure", Word(settings.insecure)},
      {"max-followers", absl::StrCat(settings.max_followers)},
      {"inspect-rate", ByteSizeText(settings.inspect_rate)},
      {"keep-alive-delay", TimeIntervalText(settings.keep_alive_delay)},
      {"poll-interval", TimeIntervalText(settings.poll_interval)},
      {"reconnect-delay", TimeIntervalText(settings.reconnect_delay)},
      {"max-lag", TimeIntervalText(settings.max_lag)},
      {"scrub-interval", TimeIntervalText(settings.scrub_interval)},
      {"scrub-rate", ByteSizeText(settings.scrub_rate)},
      {"index-interval", TimeIntervalText(settings.index_interval)},
      {"keep-old", Word(settings.keep_old)},
      {"on-swap", OrNone(settings.on_swap)},
      {"fence-command", OrNone(settings.fence_command)},
      {"owner", OrNone(settings.owner)},
      {"group", Group(settings)},
      {"mode", settings.mode ? Value(absl::StrFormat("%03o", *settings.mode)) : std::nullopt},
      {"blobs", settings.blobs_external ? Value("external") : std::nullopt},
  };
  std::vector<EffectiveKey> keys;
  for (const KeySpec& key : Keys()) {
    const bool names_the_file = key.name == "zeo-conf" || key.name == "zeo-storage";
    if ((key.sections & kZrs) == 0 || names_the_file || !HasEffect(key, settings)) continue;
    keys.push_back({key.name, ValueOf(key.name, values), key.default_words});
  }
  keys.push_back({"path", settings.path, ""});
  return keys;
}

std::string DescribeSettings(const Settings& settings) {
  std::string text = absl::StrCat("<sidecar>\n", Lines(EffectiveKeys(settings.sidecar), "  "), "</sidecar>\n");
  for (const StorageSettings& storage : settings.storages) absl::StrAppend(&text, StorageText(storage));
  return text;
}

}  // namespace zrs::config

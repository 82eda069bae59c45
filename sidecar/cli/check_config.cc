#include "sidecar/cli/check_config.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/cli/host_check.h"
#include "sidecar/cli/output.h"
#include "sidecar/config/describe.h"
#include "sidecar/config/loader.h"

namespace zrs::cli {
namespace {

using Json = nlohmann::ordered_json;

Json KeysToJson(const std::vector<config::EffectiveKey>& keys) {
  Json json = Json::object();
  for (const config::EffectiveKey& key : keys) {
    json[std::string(key.name)] = key.value ? Json(*key.value) : Json(nullptr);
  }
  return json;
}

Json SettingsToJson(const config::Settings& settings) {
  Json storages = Json::array();
  for (const config::StorageSettings& storage : settings.storages) {
    Json json = {{"name", storage.name}, {"role", storage.is_primary() ? "primary" : "secondary"}};
    json.update(KeysToJson(config::EffectiveKeys(storage)));
    storages.push_back(std::move(json));
  }
  return {{"sidecar", KeysToJson(config::EffectiveKeys(settings.sidecar))}, {"storages", std::move(storages)}};
}

std::string ReportToJson(const std::string& config, const Json& settings, const HostReport& report) {
  Json problems = Json::array();
  for (const Problem& problem : report.problems) {
    problems.push_back({{"message", problem.message}, {"remedy", problem.remedy}});
  }
  const Json json = {{"config", config}, {"problems", problems}, {"notes", report.notes}, {"settings", settings}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void Complain(const HostReport& report) {
  for (const std::string& note : report.notes) Print(stderr, absl::StrCat("zrs: note: ", note, "\n"));
  for (const Problem& problem : report.problems) {
    Print(stderr, absl::StrCat("zrs: ", problem.message, "; ", problem.remedy, "\n"));
  }
}

}  // namespace

int CheckConfigCommand(const std::string& config, bool json) {
  const absl::StatusOr<config::Settings> settings = config::LoadSettings(config);
  HostReport report;
  if (settings.ok()) {
    report = CheckHost(*settings);
  } else {
    report.problems.push_back(ProblemOf(settings.status()));
  }
  const int exit_code = !settings.ok() ? kUsage : report.problems.empty() ? kSuccess : kFailed;
  if (json) {
    return PrintResult(ReportToJson(config, settings.ok() ? SettingsToJson(*settings) : Json(), report), exit_code);
  }
  Complain(report);
  return settings.ok() ? PrintResult(config::DescribeSettings(*settings), exit_code) : exit_code;
}

}  // namespace zrs::cli

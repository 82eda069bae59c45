#include "sidecar/cli/commands.h"

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sidecar/admin/admin_client.h"
#include "sidecar/admin/status_json.h"
#include "sidecar/admin/status_screen.h"
#include "sidecar/cli/logging.h"
#include "sidecar/cli/process.h"
#include "sidecar/cli/version.h"
#include "sidecar/config/loader.h"

namespace zrs::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr absl::Duration kStatusTimeout = absl::Seconds(10);

void Print(std::FILE* file, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

int Complain(const absl::Status& status, int exit_code) {
  Print(stderr, absl::StrCat("zrs: ", status.message(), "\n"));
  return exit_code;
}

}  // namespace

int RunCommand(const std::string& config) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  absl::Status logging = StartLogging(settings->sidecar);
  if (!logging.ok()) return Complain(logging, kUsage);
  absl::Status ran = RunProcess(*settings);
  return ran.ok() ? 0 : Complain(ran, kFailed);
}

int StatusCommand(const std::string& config, bool json) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  auto status = admin::AdminClient(settings->sidecar.admin_socket).Status(kStatusTimeout);
  if (!status.ok()) return Complain(status.status(), kFailed);
  Print(stdout, json ? admin::StatusToJson(*status) : admin::StatusToScreen(*status));
  return 0;
}

int WaitCommand(const std::string& config, const WaitOptions& options) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  v1::WaitRequest request;
  request.set_storage(options.storage);
  request.set_replicas(options.replicas);
  request.set_timeout_seconds(options.timeout);
  auto response = admin::AdminClient(settings->sidecar.admin_socket).Wait(request);
  if (!response.ok()) return Complain(response.status(), kFailed);
  switch (response->result()) {
    case v1::WaitResponse::RESULT_DONE:
      Print(stdout, absl::StrCat(response->message(), "\n"));
      return 0;
    case v1::WaitResponse::RESULT_NOT_PRIMARY:
    case v1::WaitResponse::RESULT_NO_SUCH_STORAGE:
      return Complain(absl::FailedPreconditionError(response->message()), kUsage);
    default:
      return Complain(absl::DeadlineExceededError(response->message()), kFailed);
  }
}

int VersionCommand() {
  Print(stdout, absl::StrCat("zrs ", kVersion, "\n"));
  return 0;
}

}  // namespace zrs::cli

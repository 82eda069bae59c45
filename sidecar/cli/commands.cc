#include "sidecar/cli/commands.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sidecar/admin/admin_client.h"
#include "sidecar/cli/logging.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/process.h"
#include "sidecar/cli/version.h"
#include "sidecar/config/loader.h"

namespace zrs::cli {

int RunCommand(const std::string& config) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  absl::Status logging = StartLogging(settings->sidecar);
  if (!logging.ok()) return Complain(logging, kFailed);
  absl::Status ran = RunProcess(*settings, [] {});
  return ran.ok() ? kSuccess : Complain(ran, kFailed);
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
      return PrintResult(absl::StrCat(response->message(), "\n"), kSuccess);
    case v1::WaitResponse::RESULT_NOT_PRIMARY:
    case v1::WaitResponse::RESULT_NO_SUCH_STORAGE:
      return Complain(absl::FailedPreconditionError(response->message()), kUsage);
    default:
      return Complain(absl::DeadlineExceededError(response->message()), kFailed);
  }
}

namespace {

int PrintPaused(const absl::StatusOr<v1::PauseResponse>& response) {
  if (!response.ok()) return Complain(response.status(), kFailed);
  if (response->result() == v1::PauseResponse::RESULT_DONE) {
    return PrintResult(absl::StrCat(response->message(), "\n"), kSuccess);
  }
  return Complain(absl::FailedPreconditionError(response->message()), kUsage);
}

}  // namespace

int PauseCommand(const std::string& config, const std::string& storage) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  v1::PauseRequest request;
  request.set_storage(storage);
  return PrintPaused(admin::AdminClient(settings->sidecar.admin_socket).Pause(request));
}

int ResumeCommand(const std::string& config, const std::string& storage) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  v1::PauseRequest request;
  request.set_storage(storage);
  return PrintPaused(admin::AdminClient(settings->sidecar.admin_socket).Resume(request));
}

int VersionCommand() { return PrintResult(absl::StrCat("zrs ", kVersion, "\n"), kSuccess); }

}  // namespace zrs::cli

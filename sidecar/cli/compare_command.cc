#include "sidecar/cli/compare_command.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/admin/admin_client.h"
#include "sidecar/admin/comparison_json.h"
#include "sidecar/cli/ask_and_show.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/terminal/progress_line.h"
#include "sidecar/config/loader.h"
#include "sidecar/text/printable.h"

namespace zrs::cli {
namespace {

template <typename Ask>
auto AskWithProgress(const config::Settings& settings, const std::string& storage, Ask ask) {
  ProgressLine line("compare");
  return AskAndShow(settings.sidecar.admin_socket, storage, ask, [&line](const v1::StorageStatus& one) {
    if (one.has_checking()) line.Update(one.checking().progress().bytes(), one.checking().progress().total());
  });
}

std::string At(const v1::Comparison& comparison) {
  std::string text = absl::StrCat(comparison.same_up_to());
  if (comparison.has_tid()) absl::StrAppend(&text, " (", comparison.tid());
  if (comparison.has_tid_time()) absl::StrAppend(&text, ", ", comparison.tid_time());
  return comparison.has_tid() ? absl::StrCat(text, ")") : text;
}

std::string TransactionText(bool there, const v1::ComparedTransaction& transaction) {
  if (!there) return "ends there";
  if (transaction.has_damage()) return absl::StrCat("damage: ", transaction.damage());
  std::string text = transaction.tid();
  if (transaction.has_time()) absl::StrAppend(&text, "  ", transaction.time());
  return absl::StrCat(text, "  ", transaction.bytes(), " bytes  user \"", text::ShownUser(transaction.user()), "\"  \"",
                      transaction.description(), "\"");
}

std::string DifferenceText(const v1::Comparison& comparison) {
  std::string text;
  if (comparison.has_difference()) absl::StrAppend(&text, "first difference at byte ", comparison.difference(), "\n");
  absl::StrAppend(&text, "the same up to ", At(comparison), "; then\n");
  absl::StrAppend(&text, "  here      ", TransactionText(comparison.has_here(), comparison.here()), "\n");
  absl::StrAppend(&text, "  upstream  ", TransactionText(comparison.has_upstream(), comparison.upstream()), "\n");
  if (comparison.has_unsound()) {
    absl::StrAppend(&text, "the same bytes on both sides are damaged: ", comparison.unsound(), "\n");
  }
  return text;
}

std::string DataPath(const config::Settings& settings, const std::string& storage) {
  for (const config::StorageSettings& one : settings.storages) {
    if (storage.empty() || one.name == storage) return one.path;
  }
  return "FILE";  // the configuration is another one by now
}

// In words of the shell, for a command that is to be copied.
std::string ShellWord(const std::string& path) {
  return absl::StrCat("'", absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
}

// They are in the data file until they are given up.
std::string CommandThatLists(const v1::ResyncResponse& response, const std::string& data_path) {
  const bool done = response.result() == v1::ResyncResponse::RESULT_DONE;
  return absl::StrCat("zrs log ", ShellWord(done ? response.saved_to() : data_path), " --from ",
                      response.comparison().here().tid());
}

std::string PlanText(const v1::ResyncResponse& response, const std::string& data_path) {
  const bool done = response.result() == v1::ResyncResponse::RESULT_DONE;
  std::string text = DifferenceText(response.comparison());
  if (response.bytes() == 0) {
    absl::StrAppend(&text, "nothing ", done ? "was" : "would be", " given up: the upstream has all that is here\n");
  } else {
    absl::StrAppend(&text, response.transactions(), " transaction(s)");
    if (response.uncounted_bytes() > 0) {
      absl::StrAppend(&text, " and ", response.uncounted_bytes(),
                      " bytes that are not counted, as they begin with no sound one, in all ");
    } else {
      absl::StrAppend(&text, ", ");
    }
    absl::StrAppend(&text, response.bytes(), " bytes, ", done ? "were" : "would be",
                    response.whole() ? " replaced with all of the file, moved to " : " cut off, saved to ",
                    response.saved_to(), "\n");
  }
  for (const v1::ComparedTransaction& one : response.first()) {
    absl::StrAppend(&text, "  ", TransactionText(true, one), "\n");
  }
  const uint64_t more = response.transactions() - std::min<uint64_t>(response.transactions(), response.first_size());
  if (more > 0) {
    absl::StrAppend(&text, "  and ", more, " more, listed by: ", CommandThatLists(response, data_path), "\n");
  }
  absl::StrAppend(&text,
                  done ? "replication goes on\n" : "nothing was changed; zrs resync without --dry-run does it\n");
  return text;
}

}  // namespace

int CompareCommand(const std::string& config, const CompareOptions& options) {
  const auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  v1::CompareRequest request;
  request.set_storage(options.storage);
  request.set_rate(options.rate);
  const auto response = AskWithProgress(
      *settings, options.storage, [&] { return admin::AdminClient(settings->sidecar.admin_socket).Compare(request); });
  if (!response.ok()) return Complain(response.status(), kFailed);
  switch (response->result()) {
    case v1::CompareResponse::RESULT_SAME:
    case v1::CompareResponse::RESULT_DIFFERENT: {
      const bool same = response->result() == v1::CompareResponse::RESULT_SAME;
      const std::string text = same ? absl::StrCat("identical up to ", At(response->comparison()), "\n")
                                    : DifferenceText(response->comparison());
      return PrintResult(options.json ? admin::CompareToJson(*response) : text, same ? kSuccess : kFailed);
    }
    case v1::CompareResponse::RESULT_NO_SUCH_STORAGE:
      return Complain(absl::NotFoundError(response->message()), kUsage);
    default:
      return Complain(absl::FailedPreconditionError(response->message()), kFailed);
  }
}

int ResyncCommand(const std::string& config, const ResyncOptions& options) {
  const auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  v1::ResyncRequest request;
  request.set_storage(options.storage);
  request.set_dry_run(options.dry_run);
  const auto response = AskWithProgress(
      *settings, options.storage, [&] { return admin::AdminClient(settings->sidecar.admin_socket).Resync(request); });
  if (!response.ok()) return Complain(response.status(), kFailed);
  switch (response->result()) {
    case v1::ResyncResponse::RESULT_DONE:
    case v1::ResyncResponse::RESULT_PLANNED:
      return PrintResult(
          options.json ? admin::ResyncToJson(*response) : PlanText(*response, DataPath(*settings, options.storage)),
          kSuccess);
    case v1::ResyncResponse::RESULT_NO_SUCH_STORAGE:
      return Complain(absl::NotFoundError(response->message()), kUsage);
    default:
      return Complain(absl::FailedPreconditionError(response->message()), kFailed);
  }
}

}  // namespace zrs::cli

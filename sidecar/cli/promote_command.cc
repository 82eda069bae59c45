#include "sidecar/cli/promote_command.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/admin/admin_client.h"
#include "sidecar/admin/human_units.h"
#include "sidecar/cli/ask_and_show.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/terminal/progress_line.h"
#include "sidecar/cli/terminal/terminal.h"
#include "sidecar/config/loader.h"

namespace zrs::cli {
namespace {

// What an administrator has to know who did not stop the database in order.
constexpr char kAfterwards[] =
    "What the old primary committed after that transaction, if anything, is not here.\n"
    "ZEO clients that have seen such a commit refuse this server (\"Server behind client\"): stop them, remove their\n"
    "cache files (*.zec, where client-cache-... or var names them), and start them again; clients without cache files\n"
    "need the restart alone. Never let anybody write to the old primary's file again: start its zrs as a secondary of\n"
    "this host, which tells what that file has and this one has not.\n";

std::string Describe(const v1::PromotedStorage& storage) {
  if (storage.result() != v1::PromotedStorage::RESULT_PROMOTED) return absl::StrCat(storage.message(), "\n");
  std::string text = absl::StrCat("storage ", storage.name(), " is the primary now: generation ", storage.generation(),
                                  ", ", storage.committed_end(), " bytes");
  if (!storage.last_tid_time().empty()) {
    absl::StrAppend(&text, ", last transaction ", storage.last_tid(), " of ", storage.last_tid_time());
  }
  absl::StrAppend(&text, "\n");
  for (const std::string& note : storage.notes()) absl::StrAppend(&text, "  ", note, "\n");
  return text;
}

// Of what is done to one storage, or refused.
template <typename Response>
int Report(const absl::StatusOr<Response>& response) {
  if (!response.ok()) return Complain(response.status(), kFailed);
  if (response->result() == Response::RESULT_DONE) {
    return PrintResult(absl::StrCat(response->message(), "\n"), kSuccess);
  }
  const bool unknown = response->result() == Response::RESULT_NO_SUCH_STORAGE;
  return Complain(absl::FailedPreconditionError(response->message()), unknown ? kUsage : kFailed);
}

std::string UpstreamAwaited(const v1::StorageStatus& storage) {
  const std::string line =
      absl::StrCat("storage ", storage.name(), ": waiting until ", storage.upstream().address(), " is stopped");
  if (!storage.has_lag_bytes()) return line;
  return absl::StrCat(line, storage.lag_bytes() == 0 ? ", all that it has is here"
                                                     : absl::StrCat(", ", storage.lag_bytes(), " bytes to come"));
}

// It has no limit.
std::string FenceAwaited(const v1::StorageStatus& storage) {
  const std::string line = absl::StrCat("storage ", storage.name(), ": waiting for the fence-command");
  absl::Time since;
  if (!absl::ParseTime(absl::RFC3339_full, storage.fencing_since(), &since, nullptr)) return line;
  return absl::StrCat(line, ", which runs for ", admin::HumanDuration(absl::Now() - since));
}

// For the terminal: what the promotion of that storage waits for; empty where it is nothing that takes long.
std::string WhatIsAwaited(const v1::StorageStatus& storage, bool for_upstream) {
  if (for_upstream && storage.upstream().connected()) return UpstreamAwaited(storage);
  return storage.has_fencing_since() ? FenceAwaited(storage) : "";
}

// What whoever interrupts the wait for the command has to know.
const char* FenceRunsOn() {
  static const std::string words = absl::StrCat(
      LineGone(),
      "zrs: the promotion is given up, but the fence-command runs on in the zrs process: zrs status shows it as long "
      "as it runs, and the log of zrs tells how it ended. A promotion that is begun before that waits for it\n");
  return words.c_str();
}

template <typename Ask>
auto AskWhileWaiting(const std::string& admin_socket, const PromoteOptions& options, Ask ask) {
  WaitingLine line;
  std::map<std::string, std::string> awaited;  // by storage
  std::set<std::string> fencing;               // storages
  return AskAndWatch(admin_socket, options.storage, ask, [&](const v1::StorageStatus& one) {
    fencing.erase(one.name());
    if (one.has_fencing_since()) fencing.insert(one.name());
    ChangeLastWords(fencing.empty() ? LineGone() : FenceRunsOn());
    awaited[one.name()] = WhatIsAwaited(one, options.wait_for_upstream);
    if (awaited[one.name()].empty()) awaited.erase(one.name());
    if (awaited.empty()) return line.End();
    line.Say(
        absl::StrJoin(awaited, "; ", [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.second); }));
  });
}

v1::PromoteRequest::Upstream UpstreamOf(const PromoteOptions& options) {
  if (options.force) return v1::PromoteRequest::UPSTREAM_NO_MATTER;
  return options.wait_for_upstream ? v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE
                                   : v1::PromoteRequest::UPSTREAM_MUST_BE_GONE;
}

}  // namespace

int PromoteCommand(const std::string& config, const PromoteOptions& options) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  if (options.storage.empty() && !options.all && settings->storages.size() > 1) {
    return Complain(absl::InvalidArgumentError("there are several storages: name one with --storage, or say --all"),
                    kUsage);
  }
  v1::PromoteRequest request;
  request.set_storage(options.storage);
  request.set_upstream(UpstreamOf(options));
  const auto response = AskWhileWaiting(settings->sidecar.admin_socket, options, [&] {
    return admin::AdminClient(settings->sidecar.admin_socket).Promote(request);
  });
  if (!response.ok()) return Complain(response.status(), kFailed);
  if (response->storages().empty()) return Complain(absl::NotFoundError(response->message()), kUsage);
  int exit_code = kSuccess;
  std::vector<std::string> promoted;
  for (const v1::PromotedStorage& storage : response->storages()) {
    const bool is_primary = storage.result() == v1::PromotedStorage::RESULT_PROMOTED ||
                            storage.result() == v1::PromotedStorage::RESULT_WAS_PRIMARY;
    if (storage.result() == v1::PromotedStorage::RESULT_PROMOTED) promoted.push_back(storage.name());
    if (!is_primary) exit_code = kFailed;
    Print(is_primary ? stdout : stderr, absl::StrCat(is_primary ? "" : "zrs: ", Describe(storage)));
  }
  if (promoted.empty()) return exit_code;
  const bool one = response->storages_size() == 1;
  const std::string which = one ? "it" : absl::StrCat("what was promoted (", absl::StrJoin(promoted, ", "), ")");
  return PrintResult(absl::StrCat("\nStart the database on ", which, " now. ", kAfterwards), exit_code);
}

int DemoteCommand(const std::string& config, const std::string& storage) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  v1::DemoteRequest request;
  request.set_storage(storage);
  return Report(admin::AdminClient(settings->sidecar.admin_socket).Demote(request));
}

int AdoptCommand(const std::string& config, const std::string& storage, v1::AdoptRequest::As as) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  v1::AdoptRequest request;
  request.set_storage(storage);
  request.set_as(as);
  return Report(admin::AdminClient(settings->sidecar.admin_socket).Adopt(request));
}

}  // namespace zrs::cli

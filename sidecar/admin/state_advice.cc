#include "sidecar/admin/state_advice.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

namespace zrs::admin {
namespace {

constexpr char kGoesOn[] = "none needed: it goes on by itself";
constexpr char kSeeLog[] = "look into the log of zrs, and restart it once the cause is gone";

constexpr std::array kStates = {
    KnownState{"starting", Severity::kPassing, "the file is being opened and checked", kGoesOn},
    KnownState{"proving", Severity::kPassing, "nothing tells what the file is: it is compared with the upstream's",
               kGoesOn},
    KnownState{"connecting", Severity::kPassing, "",
               "none at first, it tries again by itself; if it lasts: is zrs running there, is the address right?"},
    KnownState{"copying", Severity::kPassing, "the copy is behind, and takes over what its upstream has", kGoesOn},
    KnownState{"streaming", Severity::kGood, "", ""},
    KnownState{"rebuilding", Severity::kPassing, "the copy is made anew, as the primary's file was replaced", kGoesOn},
    KnownState{"paused", Severity::kPassing, "the copy is held as it is, for a backup of it",
               "none while that lasts; then type zrs resume"},
    KnownState{"diverged", Severity::kNeedsSomebody, "the files of a primary and its copies are no longer one history",
               kSeeLog},
    KnownState{"superseded", Severity::kNeedsSomebody, "there is another primary of this database", kSeeLog},
    KnownState{"disk-full", Severity::kNeedsSomebody, "the disk of the copy is full",
               "make room there: then it goes on by itself"},
    KnownState{"stopped", Severity::kNeedsSomebody, "zrs has given no reason", kSeeLog},
};

const KnownState* Find(const std::string& name) {
  const auto* found =
      std::find_if(kStates.begin(), kStates.end(), [&name](const KnownState& state) { return state.name == name; });
  return found == kStates.end() ? nullptr : found;
}

std::string ReasonOfConnecting(const v1::Upstream& upstream) {
  if (!upstream.has_last_error()) return absl::StrCat(upstream.address(), " has not answered yet");
  return absl::StrCat("not connected to ", upstream.address(), ": ", upstream.last_error());
}

bool ReadersWereNotTold(const v1::StorageStatus& status) {
  return status.has_last_swap() && status.last_swap().has_command_error();
}

std::optional<Advice> AdviceOnSwap(const v1::StorageStatus& status) {
  if (!ReadersWereNotTold(status)) return std::nullopt;
  return Advice{absl::StrCat("readers that keep the file open were not told that another one is in its place: the "
                             "on-swap command failed: ",
                             status.last_swap().command_error()),
                "reopen the copy where it is read, or run the command by hand; zrs runs it again after the next pack"};
}

}  // namespace

absl::Span<const KnownState> KnownStates() { return kStates; }

Severity SeverityOf(const v1::StorageStatus& status) {
  const KnownState* state = Find(status.state());
  if (state == nullptr) return Severity::kPassing;
  const bool wrong = status.has_error() || ReadersWereNotTold(status);
  return state->severity == Severity::kGood && wrong ? Severity::kPassing : state->severity;
}

std::optional<Advice> AdviceFor(const v1::StorageStatus& status) {
  if (status.has_error()) return Advice{status.error().message(), status.error().remedy()};
  const KnownState* state = Find(status.state());
  if (state == nullptr) {
    return Advice{absl::StrCat("this zrs does not know the state ", status.state()), "ask with the zrs that runs"};
  }
  if (state->severity == Severity::kGood) return AdviceOnSwap(status);
  // Whatever else keeps it from its upstream is an error; what is left was answered, and is tried again soon.
  if (state->name == "connecting" && status.upstream().has_last_error()) {
    return Advice{ReasonOfConnecting(status.upstream()), "none needed: the upstream answers, and is asked again"};
  }
  return Advice{state->reason.empty() ? ReasonOfConnecting(status.upstream()) : std::string(state->reason),
                std::string(state->next_step)};
}

}  // namespace zrs::admin

// What a primary does when another file is in the place of its own.
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/primary/primary_source.h"
#include "sidecar/storage/primary/remedies.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

using filestorage::TailEvent;
using filestorage::TailReport;

void PrimarySource::OnReplaced(const TailReport& report) {
  spdlog::info("storage {}: {}; looking whether it is a pack", options_.name, report.reason);
  pending_ = true;
  diverged_ = false;
  published_ = false;
  open_ = false;
  unreadable_ = absl::OkStatus();
  watch_.reset();
  pause_.reset();
  heartbeat_.reset();
  // Of the pack before: it would let go of what this one is to be proved by.
  forget_old_.reset();
  unpublished_ = "the primary's file was replaced, by a pack most likely; its zrs looks through it";
  events_.withdrawn(replication::MakeEnd(v1::End::REASON_REPLACED, unpublished_, kComesBackRemedy));
  events_.changed();
  if (!AwaitsProof()) AnswerRefreshes();
  if (!stopping_) Reopen(report.event);
}

void PrimarySource::Reopen(TailEvent event) {
  runtime_.PostIo([this, event] {
    auto opened = file_.OpenReplacement(event);
    runtime_.Post([this, event, opened = std::move(opened)]() mutable { OnReopened(std::move(opened), event); });
  });
}

void PrimarySource::OnReopened(absl::StatusOr<PrimaryFile::Opened> opened, TailEvent event) {
  if (stopping_) return;
  if (Heals(opened.status())) return WaitForFile(opened.status(), [this, event] { Reopen(event); });
  if (!opened.ok()) return Fail(std::string(opened.status().message()), RemedyOfOpening(opened.status()));
  ClearPassing();
  pending_ = !opened->pending.empty();
  BeginScan(*opened);
  ScheduleTick();
  Poll();
}

void PrimarySource::ProvePending() {
  if (!AwaitsProof()) AnswerRefreshes();
  proving_ = true;
  unlooked_ = false;
  runtime_.PostIo([this] {
    auto proof = file_.Prove();
    runtime_.Post([this, proof = std::move(proof)]() mutable { OnProved(std::move(proof)); });
  });
}

void PrimarySource::OnProved(absl::StatusOr<filestorage::PackProof> proof) {
  proving_ = false;
  if (stopping_ || failed_) return;
  if (absl::IsUnavailable(proof.status())) return Poll();
  if (Heals(proof.status())) return WaitToProve(proof.status());
  if (!proof.ok()) return OnUnreadable(proof.status());
  if (proof->proved()) {
    proving_ = true;
    runtime_.PostIo([this, id = RandomId(runtime_)] {
      auto begun = file_.BeginEpoch(id);
      runtime_.Post([this, begun = std::move(begun)]() mutable { OnEpochBegun(std::move(begun)); });
    });
    return;
  }
  if (std::exchange(diverged_, true)) return;
  const std::string message =
      absl::StrCat(options_.path, " is neither the file that was followed before nor a pack of it: ", proof->reason);
  problem_.Raise(message, DivergedRemedy(options_));
  v1::End end = replication::MakeEnd(v1::End::REASON_DIVERGED, message,
                                     "this copy stays as it is; see to the primary's file, as its zrs status says");
  // Who knows several addresses follows no other one in its place.
  end.set_generation(replication::CurrentGeneration(state_->lineage));
  events_.withdrawn(end);
  events_.changed();
  AnswerRefreshes();
}

void PrimarySource::WaitToProve(const absl::Status& status) {
  proving_ = true;
  WaitForFile(status, [this] {
    ScheduleTick();
    ProvePending();
  });
}

void PrimarySource::OnEpochBegun(absl::StatusOr<PrimaryFile::Opened> opened) {
  proving_ = false;
  if (stopping_ || failed_) return;
  if (absl::IsUnavailable(opened.status())) return Poll();
  if (Heals(opened.status())) return WaitToProve(opened.status());
  if (!opened.ok()) {
    return Fail(std::string(opened.status().message()), "mend that, then restart zrs: it looks at the file again");
  }
  pending_ = false;
  diverged_ = false;
  problem_.Clear();
  state_ = opened->state;
  end_ = opened->end;
  spdlog::info("storage {}: {} is a pack of the file before, or has all of it; its epoch is {}", options_.name,
               options_.path, replication::DescribeId(replication::CurrentEpoch(state_->lineage)->id()));
  forget_old_ = runtime_.After(options_.old_file_time, [this] { runtime_.PostIo([this] { file_.ForgetOldFile(); }); });
  Publish();
  Poll();
}

}  // namespace zrs::storage

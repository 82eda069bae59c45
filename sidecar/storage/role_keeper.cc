#include "sidecar/storage/role_keeper.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "filestorage/timestamp.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/role.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

constexpr char kStopping[] = "zrs is stopping";
constexpr char kChanging[] = "its role is being changed";
constexpr absl::Duration kRetryDelay = absl::Seconds(1);
constexpr absl::Duration kFenceLook = absl::Seconds(1);

}  // namespace

RoleKeeper::RoleKeeper(const StorageOptions& options, const StorageServices& services, Hooks hooks)
    : options_(options),
      services_(services),
      runtime_(services.runtime),
      hooks_(std::move(hooks)),
      problem_(options.name, services.runtime) {
  MakeSource(/*primary=*/options_.upstreams.empty());
}

SourceEvents RoleKeeper::MakeEvents() {
  SourceEvents events = hooks_.events;
  events.opened = [this](replication::Publication publication) {
    opened_ = true;
    hooks_.events.opened(std::move(publication));
    AnswerIfServed();
  };
  events.changed = [this] {
    hooks_.events.changed();
    AnswerIfServed();
  };
  return events;
}

void RoleKeeper::MakeSource(bool primary) {
  primary_ = nullptr;
  secondary_ = nullptr;
  opened_ = false;
  if (primary) {
    auto source = std::make_unique<PrimarySource>(options_, services_);
    primary_ = source.get();
    source_ = std::move(source);
  } else {
    auto source = std::make_unique<SecondarySource>(options_, services_);
    secondary_ = source.get();
    source_ = std::move(source);
  }
  slot_.SetForStrand(source_.get());
}

void RoleKeeper::StartSource() {
  runtime_.PostIo([this, source = source_.get()] { slot_.SetForIo(source); });
  source_->Start(MakeEvents());
}

void RoleKeeper::Start() {
  if (!source_->is_primary()) return ReadRole();
  decided_ = true;
  StartSource();
}

// What the configuration calls a secondary may have been promoted since.
void RoleKeeper::ReadRole() {
  runtime_.PostIo([this] {
    const absl::StatusOr<bool> promoted = WasPromoted(services_.file_system, options_.state_path);
    runtime_.Post([this, promoted] { OnRoleRead(promoted); });
  });
}

void RoleKeeper::OnRoleRead(const absl::StatusOr<bool>& promoted) {
  if (stopping_) return;
  if (absl::IsAborted(promoted.status())) {
    problem_.Raise(std::string(promoted.status().message()), kFewDescriptorsRemedy);
    retry_ = runtime_.After(kRetryDelay, [this] { ReadRole(); });
    return;
  }
  problem_.Clear();
  // Any other error is found again, and told, by whoever opens the file as a secondary.
  if (promoted.ok() && *promoted) {
    spdlog::warn(
        "storage {}: is a primary since its promotion, though its configuration says replicate-from {}; correct that, "
        "or make it a secondary by zrs demote",
        options_.name, options_.UpstreamText());
    MakeSource(/*primary=*/true);
  }
  decided_ = true;
  StartSource();
  for (auto& asked : std::exchange(asked_, {})) asked();
}

void RoleKeeper::FillStatus(v1::StorageStatus& status) const {
  source_->FillStatus(status);
  if (problem_.raised()) problem_.FillStatus(status);
  if (const std::optional<absl::Time> since = Promotion::FenceRunsSince(fence_.get())) {
    status.set_fencing_since(filestorage::Rfc3339(*since));
  }
}

v1::PromotedStorage RoleKeeper::Refusal(const std::string& why) const {
  v1::PromotedStorage refusal;
  refusal.set_name(options_.name);
  refusal.set_result(v1::PromotedStorage::RESULT_REFUSED);
  refusal.set_message(absl::StrCat("storage ", options_.name, " is not promoted: ", why));
  return refusal;
}

absl::Status RoleKeeper::CheckHoldable() const {
  if (secondary_ != nullptr && !answer_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      answer_ ? absl::StrCat("storage ", options_.name, ": ", kChanging)
              : absl::StrCat("storage ", options_.name, " is a primary, whose file another program writes"));
}

void RoleKeeper::Compare(uint64_t rate, std::function<bool()> wanted,
                         absl::AnyInvocable<void(v1::CompareResponse)> answer) {
  if (absl::Status may = CheckComparable(); !may.ok()) {
    v1::CompareResponse refusal;
    refusal.set_result(v1::CompareResponse::RESULT_FAILED);
    refusal.set_message(std::string(may.message()));
    return answer(std::move(refusal));
  }
  secondary_->Compare(rate, std::move(wanted), std::move(answer));
}

void RoleKeeper::Resync(bool dry_run, std::function<bool()> wanted,
                        absl::AnyInvocable<void(v1::ResyncResponse)> answer) {
  if (absl::Status may = CheckComparable(); !may.ok()) {
    v1::ResyncResponse refusal;
    refusal.set_result(v1::ResyncResponse::RESULT_REFUSED);
    refusal.set_message(std::string(may.message()));
    return answer(std::move(refusal));
  }
  secondary_->Resync(dry_run, std::move(wanted), std::move(answer));
}

absl::Status RoleKeeper::CheckComparable() const {
  if (secondary_ != nullptr && !answer_ && decided_) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "storage ", options_.name,
      answer_ || !decided_ ? ": its role is being changed" : " is a primary; ask the secondary, which has the copy"));
}

void RoleKeeper::Promote(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted, Answer answer) {
  if (stopping_) return answer(Refusal(kStopping));
  if (!decided_) {
    asked_.push_back([this, upstream, wanted = std::move(wanted), answer = std::move(answer)]() mutable {
      Promote(upstream, std::move(wanted), std::move(answer));
    });
    return;
  }
  if (answer_) return answer(Refusal(promotion_ ? "it is being promoted already" : kChanging));
  if (primary_ != nullptr && primary_->superseded() && upstream == v1::PromoteRequest::UPSTREAM_NO_MATTER) {
    return PromoteAgain(std::move(answer));
  }
  if (primary_ != nullptr) {
    v1::PromotedStorage was = Refusal("");
    was.set_result(v1::PromotedStorage::RESULT_WAS_PRIMARY);
    was.set_message(absl::StrCat(
        "storage ", options_.name, " is a primary already",
        primary_->superseded() ? ", but superseded; if it is the right one of the two, promote it with --force" : ""));
    return answer(std::move(was));
  }
  answer_ = std::move(answer);
  Promotion::Hooks hooks;
  hooks.wanted = std::move(wanted);
  hooks.ending = [this] {
    spdlog::info("storage {}: is being promoted", options_.name);
    hooks_.withdraw(replication::MakeEnd(v1::End::REASON_REPLACED, "this zrs becomes the primary",
                                         "none needed: the follower comes back at once"));
  };
  hooks.ended = [this](Promotion::Result result) { OnPromotionEnded(std::move(result)); };
  promotion_ = std::make_unique<Promotion>(options_, runtime_, *secondary_, upstream, fence_, std::move(hooks));
  promotion_->Start();
}

void RoleKeeper::OnPromotionEnded(Promotion::Result result) {
  promotion_.reset();
  AwaitFence();
  v1::PromotedStorage answer = Promotion::Describe(options_.name, result);
  if (result.source != Promotion::Result::Source::kEnded) return Settle(answer);
  const bool primary = result.status.ok();
  Exchange(primary, [this, primary, answer = std::move(answer)]() mutable {
    if (primary) return AnswerWhenServed(std::move(answer));
    Settle(answer);
  });
}

void RoleKeeper::AwaitFence() {
  if (promotion_ || !fence_ || stopping_) return;
  const std::optional<absl::Status> ended = Promotion::FenceEnded(*fence_);
  if (!ended) {
    fence_look_ = runtime_.After(kFenceLook, [this] { AwaitFence(); });
    return;
  }
  fence_.reset();
  if (ended->ok()) {
    spdlog::info("storage {}: the fence-command has succeeded, of a promotion that was given up", options_.name);
  } else {
    spdlog::warn("storage {}: the fence-command is no success, of a promotion that was given up: {}", options_.name,
                 std::string(ended->message()));
  }
}

void RoleKeeper::PromoteAgain(Answer answer) {
  answer_ = std::move(answer);
  primary_->BeginGeneration([this](absl::StatusOr<v1::Lineage> lineage) {
    Promotion::Result result{lineage.status(), Promotion::Result::Source::kAsItWas, {}, {}};
    if (!lineage.ok()) return Settle(Promotion::Describe(options_.name, result));
    result.promoted.lineage = *std::move(lineage);
    result.end = replication::LeftBoundary(*replication::CurrentEpoch(result.promoted.lineage));
    EndSource(/*primary=*/true, "this zrs begins a later generation", /*given_up=*/"",
              [this, promoted = Promotion::Describe(options_.name, result)]() mutable {
                AnswerWhenServed(std::move(promoted));
              });
  });
}

void RoleKeeper::Demote(absl::AnyInvocable<void(absl::Status)> answer) {
  const auto refusal = [this](absl::string_view why) {
    return absl::FailedPreconditionError(absl::StrCat("storage ", options_.name, " is not demoted: ", why));
  };
  if (stopping_ || answer_) return answer(refusal(stopping_ ? kStopping : kChanging));
  if (!decided_) {
    asked_.push_back([this, answer = std::move(answer)]() mutable { Demote(std::move(answer)); });
    return;
  }
  if (secondary_ != nullptr) return answer(refusal("it is a secondary"));
  if (options_.upstreams.empty()) {
    return answer(refusal("its configuration names nobody to follow: say replicate-from there, and start zrs again"));
  }
  // What is answered is whether it was refused; a stop waits for that too.
  answer_ = [answer = std::move(answer)](const v1::PromotedStorage& was) mutable {
    answer(was.message().empty() ? absl::OkStatus() : absl::FailedPreconditionError(was.message()));
  };
  primary_->GiveUp([this, refusal](const absl::Status& given_up) {
    v1::PromotedStorage none;
    if (!given_up.ok()) {
      none.set_message(std::string(refusal(given_up.message()).message()));
      return Settle(none);
    }
    EndSource(/*primary=*/false, "this zrs is the primary no more",
              "it was demoted, and what was committed here and not at its upstream may be gone",
              [this] { Settle({}); });
  });
}

void RoleKeeper::Adopt(v1::AdoptRequest::As as, uint32_t followers,
                       absl::AnyInvocable<void(absl::StatusOr<std::string>)> answer) {
  const auto refusal = [this](absl::string_view why) {
    return absl::FailedPreconditionError(absl::StrCat("storage ", options_.name, ": ", why));
  };
  if (stopping_ || answer_) return answer(refusal(stopping_ ? kStopping : kChanging));
  if (!decided_) {
    asked_.push_back(
        [this, as, followers, answer = std::move(answer)]() mutable { Adopt(as, followers, std::move(answer)); });
    return;
  }
  if (primary_ == nullptr) {
    return answer(refusal(
        absl::StrCat("it is a secondary, whose identity is its primary's. To find out whether its file is a copy of "
                     "another one's, stop zrs, move its state file ",
                     options_.state_path, " away, and start it again: the file is then compared, and adopted")));
  }
  if (followers > 0) {
    return answer(refusal(absl::StrCat("it is followed, by ", followers, ", who have its identity: stop them first")));
  }
  // What is answered is in `message`, also where it was refused; a stop waits for that too.
  auto adopted = std::make_shared<absl::StatusOr<std::string>>(absl::UnknownError(""));
  answer_ = [adopted, answer = std::move(answer)](const v1::PromotedStorage&) mutable { answer(*std::move(adopted)); };
  const std::string given_up = as == v1::AdoptRequest::AS_RESTORED
                                   ? "it goes on from a restored file, and what was committed before may be gone"
                                   : "";
  primary_->Adopt(as, [this, adopted, refusal, given_up](const absl::StatusOr<std::string>& done) {
    if (!done.ok()) {
      *adopted = refusal(done.status().message());
      return Settle({});
    }
    *adopted = absl::StrCat("storage ", options_.name, " ", *done);
    spdlog::info("{}", **adopted);
    EndSource(/*primary=*/true, "this zrs was told what its database is", given_up, [this] { Settle({}); });
  });
}

void RoleKeeper::EndSource(bool primary, const std::string& why, const std::string& given_up,
                           absl::AnyInvocable<void()> done) {
  source_->Quiesce([this, primary, why, given_up, done = std::move(done)]() mutable {
    hooks_.withdraw(
        replication::MakeEnd(v1::End::REASON_REPLACED, why, "none needed: the follower comes back at once"));
    if (!given_up.empty()) hooks_.given_up(given_up);
    source_->Close([this, primary, done = std::move(done)]() mutable { Exchange(primary, std::move(done)); });
  });
}

void RoleKeeper::Exchange(bool primary, absl::AnyInvocable<void()> done) {
  // The I/O thread may be reading for a follower.
  runtime_.PostIo([this, primary, done = std::move(done)]() mutable {
    slot_.SetForIo(nullptr);
    runtime_.Post([this, primary, done = std::move(done)]() mutable {
      std::unique_ptr<Source> before = std::move(source_);
      MakeSource(primary);
      // It goes when nothing is on its way to or from the I/O thread for it any more.
      runtime_.PostIo([this, before = std::move(before)]() mutable {
        runtime_.Post([before = std::move(before)]() mutable { before.reset(); });
      });
      if (!stopping_) StartSource();
      done();
    });
  });
}

void RoleKeeper::AnswerWhenServed(v1::PromotedStorage promoted) {
  promoted_ = std::move(promoted);
  AnswerIfServed();
}

// Whoever asked starts the database next, and reads the status: both as it will be.
void RoleKeeper::AnswerIfServed() {
  if (!promoted_) return;
  if (!opened_ && !stopping_) {
    v1::StorageStatus status;
    source_->FillStatus(status);
    if (!status.has_error()) return;
    promoted_->add_notes(absl::StrCat("it is not served yet: ", status.error().message()));
  }
  Settle(*std::exchange(promoted_, std::nullopt));
}

void RoleKeeper::Settle(const v1::PromotedStorage& answer) {
  std::exchange(answer_, nullptr)(answer);
  if (settled_) std::exchange(settled_, nullptr)();
}

void RoleKeeper::Stop(absl::AnyInvocable<void()> done) {
  stopping_ = true;
  retry_.reset();
  fence_look_.reset();
  for (auto& asked : std::exchange(asked_, {})) asked();
  if (!answer_) return done();
  settled_ = std::move(done);
  if (promotion_ && promotion_->Cancel()) {
    promotion_.reset();
    return Settle(Refusal(kStopping));
  }
  if (promotion_ && secondary_ != nullptr) secondary_->HurryPromotion();
  AnswerIfServed();
}

}  // namespace zrs::storage

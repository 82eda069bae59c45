#include "sidecar/storage/storage.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/storage/primary/primary_source.h"
#include "sidecar/storage/problem.h"
#include "sidecar/storage/publisher/publisher.h"
#include "sidecar/storage/publisher/waiters.h"
#include "sidecar/storage/role.h"
#include "sidecar/storage/secondary/promotion.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "sidecar/storage/source.h"
#include "sidecar/storage/source_slot.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

// One that comes back is refused again at least this often.
constexpr absl::Duration kRefusalShown = absl::Minutes(5);
constexpr absl::Duration kRefusalPause = absl::Seconds(5);
constexpr char kStopping[] = "zrs is stopping";

class ReplicatedStorage final : public Storage {
 public:
  ReplicatedStorage(StorageOptions options, StorageServices services)
      : options_(std::move(options)),
        services_(services),
        runtime_(services.runtime),
        publisher_(options_.name, options_.max_followers, runtime_, slot_, MakeHooks()),
        waiters_(options_.name, runtime_, publisher_) {
    MakeSource(/*primary=*/options_.upstream.empty());
  }

  void Start(absl::AnyInvocable<void(bool)> serving_changed) override {
    runtime_.Post([this, serving_changed = std::move(serving_changed)]() mutable {
      serving_changed_ = std::move(serving_changed);
      DecideRole();
    });
  }

  void Stop(absl::Duration timeout, absl::AnyInvocable<void()> done) override {
    runtime_.Post([this, timeout, done = std::move(done)]() mutable { StopOnStrand(timeout, std::move(done)); });
  }

  void Accept(std::shared_ptr<transport::PublisherStream> stream, v1::Hello hello) override {
    runtime_.Post([this, stream = std::move(stream), hello = std::move(hello)]() mutable {
      publisher_.Accept(std::move(stream), std::move(hello));
    });
  }

  void NoteRefusedFollower(const std::string& message, const std::string& remedy) override {
    runtime_.Post([this, message, remedy] { NoteRefused(message, remedy); });
  }

  void GetStatus(absl::AnyInvocable<void(v1::StorageStatus)> answer) override {
    runtime_.Post([this, answer = std::move(answer)]() mutable {
      v1::StorageStatus status;
      status.set_name(options_.name);
      status.set_path(options_.path);
      if (options_.blobs_external) status.set_blobs("external");
      source_->FillStatus(status);
      const bool refused = refused_ && runtime_.Now() < refused_at_ + kRefusalShown;
      if (refused && !status.has_error()) refused_->FillStatus(status);
      publisher_.FillStatus(source_->primary_view(), status);
      answer(std::move(status));
    });
  }

  void Wait(uint32_t replicas, absl::Duration timeout, Waiters::Wanted wanted, Waiters::Answer answer) override {
    runtime_.Post([this, replicas, timeout, wanted = std::move(wanted), answer = std::move(answer)]() mutable {
      WaitOnStrand(replicas, timeout, std::move(wanted), std::move(answer));
    });
  }

  void Pause(absl::AnyInvocable<void(bool)> answer) override {
    runtime_.Post([this, answer = std::move(answer)]() mutable {
      const auto shared = std::make_shared<absl::AnyInvocable<void(bool)>>(std::move(answer));
      if (!source_->Pause([shared] { (*shared)(true); })) (*shared)(false);
    });
  }

  void Resume(absl::AnyInvocable<void(bool)> answer) override {
    runtime_.Post([this, answer = std::move(answer)]() mutable {
      source_->Resume();
      answer(!source_->is_primary());
    });
  }

  void Promote(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
               absl::AnyInvocable<void(v1::PromotedStorage)> answer) override {
    runtime_.Post([this, upstream, wanted = std::move(wanted), answer = std::move(answer)]() mutable {
      PromoteOnStrand(upstream, std::move(wanted), std::move(answer));
    });
  }

  void Demote(absl::AnyInvocable<void(absl::Status)> answer) override {
    runtime_.Post([this, answer = std::move(answer)]() mutable { DemoteOnStrand(std::move(answer)); });
  }

  const std::string& name() const override { return options_.name; }

 private:
  // ---- Role

  void MakeSource(bool primary) {
    secondary_ = nullptr;
    if (primary) {
      source_ = std::make_unique<PrimarySource>(options_, services_);
    } else {
      auto source = std::make_unique<SecondarySource>(options_, services_);
      secondary_ = source.get();
      source_ = std::move(source);
    }
    slot_.SetForStrand(source_.get());
  }

  void StartSource() {
    runtime_.PostIo([this, source = source_.get()] { slot_.SetForIo(source); });
    source_->Start(MakeEvents());
  }

  // What the configuration calls a secondary may have been promoted since.
  void DecideRole() {
    if (source_->is_primary()) return StartSource();
    runtime_.PostIo([this] {
      const bool promoted = WasPromoted(services_.file_system, options_.state_path, options_.upstream);
      runtime_.Post([this, promoted] {
        if (stopping_) return;
        if (promoted) {
          spdlog::warn(
              "storage {}: is a primary since its promotion, though its configuration says replicate-from {}; "
              "correct that, or name another address there for it to become a secondary",
              options_.name, options_.upstream);
          MakeSource(/*primary=*/true);
        }
        StartSource();
      });
    });
  }

  void PromoteOnStrand(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
                       absl::AnyInvocable<void(v1::PromotedStorage)> answer) {
    v1::PromotedStorage refusal;
    refusal.set_name(options_.name);
    refusal.set_result(v1::PromotedStorage::RESULT_REFUSED);
    if (source_->is_primary()) {
      refusal.set_result(v1::PromotedStorage::RESULT_WAS_PRIMARY);
      refusal.set_message(absl::StrCat("storage ", options_.name, " is a primary already"));
    } else if (stopping_ || promotion_) {
      refusal.set_message(stopping_ ? kStopping : "it is being promoted already");
    } else {
      return BeginPromotion(upstream, std::move(wanted), std::move(answer));
    }
    answer(std::move(refusal));
  }

  void BeginPromotion(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
                      absl::AnyInvocable<void(v1::PromotedStorage)> answer) {
    promoted_ = std::move(answer);
    Promotion::Hooks hooks;
    hooks.wanted = std::move(wanted);
    hooks.ending = [this] { spdlog::info("storage {}: is being promoted", options_.name); };
    hooks.ended = [this](Promotion::Result result) { OnPromotionEnded(std::move(result)); };
    promotion_ = std::make_unique<Promotion>(options_, runtime_, *secondary_, upstream, std::move(hooks));
    promotion_->Start();
  }

  void OnPromotionEnded(Promotion::Result result) {
    promotion_.reset();
    v1::PromotedStorage answer = Promotion::Describe(options_.name, result);
    if (!result.source_ended) return std::exchange(promoted_, nullptr)(std::move(answer));
    publisher_.Refuse(replication::MakeEnd(v1::End::REASON_REPLACED, "this zrs becomes the primary",
                                           "none needed: the follower comes back at once"));
    // The I/O thread may be reading for a follower.
    runtime_.PostIo([this, promoted = result.status.ok(), answer = std::move(answer)]() mutable {
      slot_.SetForIo(nullptr);
      runtime_.Post([this, promoted, answer = std::move(answer)]() mutable { TakeOver(promoted, std::move(answer)); });
    });
  }

  void TakeOver(bool primary, v1::PromotedStorage answer) {
    MakeSource(primary);
    if (!stopping_) StartSource();
    std::exchange(promoted_, nullptr)(std::move(answer));
    if (stopping_) Quiesce();
  }

  void DemoteOnStrand(absl::AnyInvocable<void(absl::Status)> answer) {
    const auto refuse = [&](const std::string& why) {
      answer(absl::FailedPreconditionError(absl::StrCat("storage ", options_.name, " is not demoted: ", why)));
    };
    if (stopping_ || promoted_) return refuse(stopping_ ? kStopping : "its role is being changed");
    if (secondary_ != nullptr) return refuse("it is a secondary");
    if (options_.upstream.empty()) {
      return refuse("its configuration names nobody to follow: say replicate-from there, and start zrs again");
    }
    // As during a promotion, a stop waits for this.
    promoted_ = [answer = std::move(answer)](const v1::PromotedStorage&) mutable { answer(absl::OkStatus()); };
    source_->Quiesce([this] {
      publisher_.Refuse(replication::MakeEnd(v1::End::REASON_REPLACED, "this zrs is the primary no more",
                                             "none needed: the follower comes back at once"));
      source_->Close([this] {
        runtime_.PostIo([this] {
          slot_.SetForIo(nullptr);
          runtime_.Post([this] { TakeOver(/*primary=*/false, {}); });
        });
      });
    });
  }

  // ---- Events

  Publisher::Hooks MakeHooks() {
    Publisher::Hooks hooks;
    hooks.progressed = [this] { waiters_.Check(); };
    hooks.failed = [this](const absl::Status& error) { source_->OnUnreadable(error); };
    hooks.refused = [this](const std::string& message, const std::string& remedy) { NoteRefused(message, remedy); };
    hooks.rival = [this](const v1::End& end) { source_->OnRival(end); };
    hooks.last_seen = [this](replication::KnownFollower follower) { source_->Remember(std::move(follower)); };
    return hooks;
  }

  SourceEvents MakeEvents() {
    SourceEvents events;
    events.opened = [this](replication::Publication publication) {
      waiters_.OnReplaced(publication.end.offset);
      publisher_.Open(std::move(publication));
    };
    events.advanced = [this](const filestorage::Boundary& end) { publisher_.OnCommittedEnd(end); };
    events.heartbeat = [this](const v1::Heartbeat& heartbeat) { publisher_.OnHeartbeat(heartbeat); };
    events.withdrawn = [this](const v1::End& end) { publisher_.Refuse(end); };
    events.changed = [this] { ReportServing(); };
    return events;
  }

  void NoteRefused(const std::string& message, const std::string& remedy) {
    const absl::Duration now = runtime_.Now();
    // Many hosts that take turns do not fill the log.
    if (refused_ && now < refused_at_ + kRefusalPause) return;
    if (refused_ && now >= refused_at_ + kRefusalShown) refused_.reset();
    if (!refused_) refused_.emplace(options_.name, runtime_);
    refused_->Raise(message, remedy);
    refused_at_ = now;
  }

  void ReportServing() {
    const bool serving = source_->serving() && !stopping_;
    if (serving == serving_) return;
    serving_ = serving;
    serving_changed_(serving);
  }

  void WaitOnStrand(uint32_t replicas, absl::Duration timeout, Waiters::Wanted wanted, Waiters::Answer answer) {
    if (!source_->is_primary()) {
      return answer(MakeWaitResponse(
          v1::WaitResponse::RESULT_NOT_PRIMARY,
          absl::StrCat("storage ", options_.name, " is a secondary: ask its primary, which knows what is committed")));
    }
    waiters_.Add(replicas, timeout, std::move(wanted), std::move(answer));
    if (stopping_) return waiters_.Fail(kStopping);
    if (!looking_) LookForWaiters();
  }

  // A commit that the caller's database client has seen is in the file, whatever was noticed of it so far.
  void LookForWaiters() {
    looking_ = true;
    source_->Refresh([this, newest = waiters_.newest()] {
      looking_ = false;
      if (publisher_.publication()) {
        waiters_.OnLooked(newest, publisher_.publication()->end.offset);
      } else {
        waiters_.OnLooked(newest, absl::UnavailableError("it is not publishing; zrs status tells why"));
      }
      if (waiters_.HasUnlooked()) LookForWaiters();  // of those that came meanwhile
    });
  }

  void StopOnStrand(absl::Duration timeout, absl::AnyInvocable<void()> done) {
    if (closed_) return done();
    stopped_.push_back(std::move(done));
    stop_timeout_ = timeout;
    if (std::exchange(stopping_, true)) {
      if (draining_) Drain();
      return;
    }
    if (serving_) ReportServing();
    waiters_.Fail(kStopping);
    if (promotion_ && promotion_->Cancel()) {
      promotion_.reset();
      v1::PromotedStorage refusal;
      refusal.set_name(options_.name);
      refusal.set_result(v1::PromotedStorage::RESULT_REFUSED);
      refusal.set_message(kStopping);
      std::exchange(promoted_, nullptr)(std::move(refusal));
    }
    if (!promoted_) Quiesce();  // else when it is promoted
  }

  void Quiesce() {
    source_->Quiesce([this] {
      draining_ = true;
      Drain();
    });
  }

  void Drain() {
    publisher_.Drain(stop_timeout_, [this] {
      draining_ = false;
      source_->Close([this] {
        closed_ = true;
        spdlog::info("storage {}: stopped", options_.name);
        for (auto& done : std::exchange(stopped_, {})) done();
      });
    });
  }

  const StorageOptions options_;
  const StorageServices services_;
  runtime::Runtime& runtime_;
  SourceSlot slot_;
  std::unique_ptr<Source> source_;
  SecondarySource* secondary_ = nullptr;  // the source, where it is one
  std::unique_ptr<Promotion> promotion_;
  absl::AnyInvocable<void(v1::PromotedStorage)> promoted_;  // while its role is being changed
  Publisher publisher_;
  Waiters waiters_;
  std::optional<ProblemReport> refused_;  // a follower was turned away
  absl::Duration refused_at_;
  absl::AnyInvocable<void(bool)> serving_changed_;
  bool looking_ = false;  // somebody waits to learn what is committed
  bool serving_ = false;
  bool stopping_ = false;
  bool draining_ = false;  // followers are given time
  bool closed_ = false;
  absl::Duration stop_timeout_;
  std::vector<absl::AnyInvocable<void()>> stopped_;
};

}  // namespace

std::unique_ptr<Storage> MakeStorage(StorageOptions options, StorageServices services) {
  return std::make_unique<ReplicatedStorage>(std::move(options), services);
}

}  // namespace zrs::storage

#include "sidecar/storage/storage.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "filestorage/format.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/storage/problem.h"
#include "sidecar/storage/publisher/publisher.h"
#include "sidecar/storage/publisher/waiters.h"
#include "sidecar/storage/role_keeper.h"
#include "sidecar/storage/source.h"
#include "sidecar/storage/status_fields.h"
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
        keeper_(options_, services_,
                {MakeEvents(), [this](const v1::End& end) { publisher_.Refuse(end); },
                 [this](const std::string& why) { waiters_.Fail(why); }}),
        publisher_(options_.name, options_.max_followers, options_.inspect_rate, runtime_, keeper_.bytes(),
                   MakeHooks()),
        waiters_(options_.name, runtime_, publisher_) {}

  void Start(absl::AnyInvocable<void(bool)> serving_changed) override {
    runtime_.Post([this, serving_changed = std::move(serving_changed)]() mutable {
      serving_changed_ = std::move(serving_changed);
      keeper_.Start();
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
      keeper_.FillStatus(status);
      const bool refused = refused_ && runtime_.Now() < refused_at_ + kRefusalShown;
      if (refused && !status.has_error()) refused_->FillStatus(status);
      publisher_.FillStatus(source().primary_view(), status);
      CleanTexts(&status);
      answer(std::move(status));
    });
  }

  void Wait(uint32_t replicas, absl::Duration timeout, Waiters::Wanted wanted, Waiters::Answer answer) override {
    runtime_.Post([this, replicas, timeout, wanted = std::move(wanted), answer = std::move(answer)]() mutable {
      WaitOnStrand(replicas, timeout, std::move(wanted), std::move(answer));
    });
  }

  void Pause(absl::AnyInvocable<void(absl::Status)> answer) override {
    runtime_.Post([this, answer = std::move(answer)]() mutable {
      if (absl::Status may = keeper_.CheckHoldable(); !may.ok()) return answer(may);
      source().Pause([answer = std::move(answer)]() mutable { answer(absl::OkStatus()); });
    });
  }

  void Resume(absl::AnyInvocable<void(absl::Status)> answer) override {
    runtime_.Post([this, answer = std::move(answer)]() mutable {
      absl::Status may = keeper_.CheckHoldable();
      if (may.ok()) source().Resume();
      answer(std::move(may));
    });
  }

  void Promote(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
               absl::AnyInvocable<void(v1::PromotedStorage)> answer) override {
    runtime_.Post([this, upstream, wanted = std::move(wanted), answer = std::move(answer)]() mutable {
      keeper_.Promote(upstream, std::move(wanted), std::move(answer));
    });
  }

  void Demote(absl::AnyInvocable<void(absl::Status)> answer) override {
    runtime_.Post([this, answer = std::move(answer)]() mutable { keeper_.Demote(std::move(answer)); });
  }

  void Compare(uint64_t rate, std::function<bool()> wanted,
               absl::AnyInvocable<void(v1::CompareResponse)> answer) override {
    runtime_.Post([this, rate, wanted = std::move(wanted), answer = std::move(answer)]() mutable {
      keeper_.Compare(rate, std::move(wanted), std::move(answer));
    });
  }

  void Resync(bool dry_run, std::function<bool()> wanted,
              absl::AnyInvocable<void(v1::ResyncResponse)> answer) override {
    runtime_.Post([this, dry_run, wanted = std::move(wanted), answer = std::move(answer)]() mutable {
      keeper_.Resync(dry_run, std::move(wanted), std::move(answer));
    });
  }

  void Adopt(v1::AdoptRequest::As as, absl::AnyInvocable<void(absl::StatusOr<std::string>)> answer) override {
    runtime_.Post([this, as, answer = std::move(answer)]() mutable {
      keeper_.Adopt(as, publisher_.followers(), std::move(answer));
    });
  }

  const std::string& name() const override { return options_.name; }

 private:
  Source& source() { return keeper_.source(); }

  // ---- Events

  Publisher::Hooks MakeHooks() {
    Publisher::Hooks hooks;
    hooks.progressed = [this] {
      waiters_.Check();
      NoteSharedIdentity();
    };
    hooks.failed = [this](const absl::Status& error) { source().OnUnreadable(error); };
    hooks.refused = [this](const std::string& message, const std::string& remedy) { NoteRefused(message, remedy); };
    hooks.rival = [this](const v1::End& end) { source().OnRival(end); };
    hooks.standing = [this] {
      const bool secondary = !source().is_primary();
      return Publisher::Standing{secondary, secondary && !source().hears_primary(), source().yields(),
                                 !source().complete(), source().takes_identity()};
    };
    hooks.take_identity = [this](const v1::Lineage& lineage, absl::AnyInvocable<void(absl::Status)> taken) {
      // They have, or are about to make durable, the present one.
      if (publisher_.followers() > 0) return taken(absl::FailedPreconditionError("it is followed"));
      source().TakeIdentity(lineage, std::move(taken));
    };
    hooks.last_seen = [this](replication::KnownFollower follower) { source().Remember(std::move(follower)); };
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

  // Whoever has acknowledged anything has made it durable before.
  void NoteSharedIdentity() {
    if (source().takes_identity() == v1::End::TAKES_IDENTITY_NO) return;
    if (publisher_.followers_at(filestorage::kMagicSize) > 0) source().OnIdentityShared();
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
    const bool serving = source().serving() && !stopping_;
    if (serving == serving_) return;
    serving_ = serving;
    serving_changed_(serving);
  }

  void WaitOnStrand(uint32_t replicas, absl::Duration timeout, Waiters::Wanted wanted, Waiters::Answer answer) {
    if (!source().is_primary()) {
      return answer(MakeWaitResponse(
          v1::WaitResponse::RESULT_NOT_PRIMARY,
          absl::StrCat("storage ", options_.name, " is a secondary: ask its primary, which knows what is committed")));
    }
    if (stopping_) {
      return answer(
          MakeWaitResponse(v1::WaitResponse::RESULT_FAILED, absl::StrCat("storage ", options_.name, ": ", kStopping)));
    }
    waiters_.Add(replicas, timeout, std::move(wanted), std::move(answer));
    if (!looking_) LookForWaiters();
  }

  // A commit that the caller's database client has seen is in the file, whatever was noticed of it so far.
  void LookForWaiters() {
    looking_ = true;
    source().Refresh([this, newest = waiters_.newest()] {
      looking_ = false;
      if (absl::Status known = source().end_known(); !known.ok()) {
        waiters_.OnLooked(newest, known);
      } else if (publisher_.publication()) {
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
    keeper_.Stop([this] { Quiesce(); });
  }

  void Quiesce() {
    source().Quiesce([this] {
      draining_ = true;
      Drain();
    });
  }

  void Drain() {
    publisher_.Drain(stop_timeout_, [this] {
      draining_ = false;
      source().Close([this] {
        closed_ = true;
        spdlog::info("storage {}: stopped", options_.name);
        for (auto& done : std::exchange(stopped_, {})) done();
      });
    });
  }

  const StorageOptions options_;
  const StorageServices services_;
  runtime::Runtime& runtime_;
  RoleKeeper keeper_;
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

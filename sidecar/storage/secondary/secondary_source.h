// A secondary's copy as a source: opens it, follows its upstream, and comes back to it after any failure.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_SECONDARY_SOURCE_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_SECONDARY_SOURCE_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sidecar/replication/backoff.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/problem.h"
#include "sidecar/storage/secondary/comparison/comparisons.h"
#include "sidecar/storage/secondary/comparison/proving.h"
#include "sidecar/storage/secondary/comparison/scrub_schedule.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "sidecar/storage/secondary/copy_writer.h"
#include "sidecar/storage/secondary/index_keeper.h"
#include "sidecar/storage/secondary/secondary_state.h"
#include "sidecar/storage/secondary/upstream_connection.h"
#include "sidecar/storage/secondary/upstream_health.h"
#include "sidecar/storage/secondary/upstream_search.h"
#include "sidecar/storage/source.h"
#include "sidecar/storage/swap_command.h"

namespace zrs::storage {

class SecondarySource final : public Source {
 public:
  SecondarySource(const StorageOptions& options, StorageServices services);

  void Start(SourceEvents events) override;
  void Quiesce(absl::AnyInvocable<void()> done) override;
  void Close(absl::AnyInvocable<void()> done) override;
  void Refresh(absl::AnyInvocable<void()> done) override { done(); }
  void OnUnreadable(const absl::Status& error) override;
  void Remember(replication::KnownFollower follower) override;
  // Its primary is told, over whomever it follows.
  void OnRival(const v1::End& end) override;
  void Pause(absl::AnyInvocable<void()> held) override;
  void Resume() override;
  bool is_primary() const override { return false; }
  bool serving() const override;
  bool hears_primary() const override { return health_.connected() && primary_view().has_value(); }
  bool yields() const override { return copy_.yields; }
  bool complete() const override { return complete_; }
  std::optional<PrimaryView> primary_view() const override;
  void FillStatus(v1::StorageStatus& status) const override;

  // For its promotion.
  //
  // FailedPrecondition where it may not be promoted now, whatever its upstream is, with the reason and what to do.
  // `forced`: though that may lose something.
  absl::Status CheckPromotable(bool forced) const;
  // Whether MakePrimary would work, as far as that can be told before: as CopyFile's.
  void RehearsePromotion(absl::AnyInvocable<void(absl::Status)> done);
  // Whether the upstream's zrs is there. It is gone where nothing answers, and once it has said that it stops.
  enum class Reach { kUnknown, kThere, kGone };
  // Tries to connect at once, unless that is being done; reach() tells what came of it, and later of what comes later.
  // Where there are several addresses it looks at all of them, and reach() is about the one that was followed last.
  void LookForUpstream();
  // Looks at all addresses again, where there are several.
  void LookAgain();
  // What it may follow, and which of them it follows or did last.
  const UpstreamSearch& search() const { return search_; }
  // Whether it is connected, or about to be; whether it is being followed.
  bool connecting() const { return upstream_ != nullptr; }
  bool connected() const { return health_.connected(); }
  Reach reach() const { return reach_; }
  // Whether anything was heard of it since that time, by Runtime::Now. One that is there may hang.
  bool HeardSince(absl::Duration time) const { return !upstream_ || !upstream_->open() || upstream_->heard() >= time; }
  // As it said last.
  bool upstream_is_secondary() const { return upstream_is_secondary_; }
  std::string DescribeUpstream() const;
  // FailedPrecondition unless the upstream was stopped in order, and all that it had is here.
  absl::Status CheckHasAll() const;
  // For a person, where CheckHasAll is OK: what that rests on.
  std::string DescribeStop() const;
  // For whoever promotes this one: which of the other addresses has more, when it was looked at last.
  std::vector<std::string> NotesOnOthers() const;
  // Ends the stream; `done` once all that has arrived is committed, and the rest is cut. Instead of Quiesce.
  void Finish(absl::AnyInvocable<void()> done);
  // Whether it stopped for an error, and does nothing any more.
  bool stopped() const { return state_ == SecondaryState::kStopped; }
  // After Finish, and instead of Close: as CopyFile::Promote. The file is closed, whatever the answer. After an error
  // that does not heal this source stays, and is stopped.
  void MakePrimary(absl::AnyInvocable<void(absl::StatusOr<CopyFile::Promoted>)> done);
  // The promotion that is under way leaves the index as it is. Any thread.
  void HurryPromotion() { hurry_ = true; }

  // Compares what is committed here with the upstream's file, at most `rate` bytes per second (0: as fast as it goes).
  // A copy that differs is diverged from then on, over restarts; one that does not is so no more. `wanted` as
  // Storage::Wait's.
  void Compare(uint64_t rate, std::function<bool()> wanted, absl::AnyInvocable<void(v1::CompareResponse)> answer);
  // Of a copy that has diverged: gives up what the upstream does not have, after it was saved, and follows again. Or
  // tells what would be given up.
  void Resync(bool dry_run, std::function<bool()> wanted, absl::AnyInvocable<void(v1::ResyncResponse)> answer);

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) override { return file_.Read(offset, out); }
  bool RemembersPosition(const replication::OldPosition& position) override {
    return file_.RemembersPosition(position);
  }
  bool OldFileIsOf(const replication::OldPosition& position) override { return file_.OldFileIsOf(position); }
  absl::StatusOr<size_t> ReadOld(uint64_t offset, absl::Span<char> out) override { return file_.ReadOld(offset, out); }

 private:
  void TryOpen();
  void OnOpened(absl::StatusOr<CopyFile::Found> found);
  // Connects; where there are several addresses once it is known to which.
  void Seek();
  void OnSearched();
  void NotePresent();
  void OnNobody();
  // Of several addresses: now and then, while one of them is followed.
  void LookAtOthers();
  void Leave(const std::string& why);
  // Of several addresses: one of them is another primary of the followed one's generation.
  void TellOfRival();
  void TellRival(uint64_t generation, const std::string& message);
  uint64_t OwnGeneration() const;
  void Connect();
  void OnChanged();
  void NoteProgress(bool advanced);
  void LogFollowing() const;
  void OnDisconnected(const absl::Status& status);
  void OnCut(const absl::Status& status, absl::Duration delay);
  absl::Duration DelayAfter(const absl::Status& status);
  absl::Duration DelayAfterEnd(const replication::FollowerEnd& end);
  void OnCreated(const replication::CreateCopy& create);
  void OnSwapped(const replication::SwapCopy& swap, const std::string& time);
  // The live file is one of `lineage`: so says the state file, whether or not the stream goes on that told it.
  void EnterEpoch(const v1::Lineage& lineage);
  // What readers were told of the last swap is remembered once its command has ended.
  void NoteSwapTold();
  // A write, sync, cut or creation failed: decides whether that heals.
  void OnLocalError(const absl::Status& status);
  void Publish();
  void Withdraw(v1::End::Reason reason, const std::string& message, const std::string& remedy);
  // It has diverged, for that reason; followers are told so, with the same words.
  void RaiseDiverged(const std::string& message, const std::string& remedy);
  void Fail(const std::string& why, const std::string& what_to_do);
  void SaveStateNowAndThen();
  void CheckPlaceNowAndThen();
  // Looks at the health again, which may change by time alone.
  void ScheduleHealth();
  void NoteReach();
  // Before the last stream ends: nothing is begun any more.
  void BeginEnding();
  // `done` once it was called and no update of the index is under way any more.
  absl::AnyInvocable<void()> AfterIndex(absl::AnyInvocable<void()> done);
  void TendIndex();

  // ---- Vouching (secondary_source_vouching.cc)
  // The upstream, at `address`, would be told by this copy which database it is.
  struct Asked {
    std::string address;
    v1::End::TakesIdentity takes_identity = v1::End::TAKES_IDENTITY_NO;
    std::string refusal;  // what it said of it
  };
  // Whether that is begun: the copy's whole file is compared with the upstream's.
  bool VouchIfAsked();
  void OnVouched(const Asked& asked, const absl::StatusOr<ComparisonResult>& result);
  // Of several addresses, none of which can be followed.
  std::optional<Asked> AskedBySome() const;
  // What came of that, where it is known; empty where it is not.
  std::string VouchTrouble(const std::string& refusal) const;
  // What to do about that; `otherwise` where there is none, or nothing to be done.
  std::string VouchRemedy(const std::string& refusal, const std::string& otherwise) const;

  // ---- Comparing (secondary_source_comparing.cc)
  // A file of which nobody knows what it is may be a copy.
  void BeginProving();
  void Prove();
  void GoOnProving(Proving::Step step);
  void OnProved(absl::StatusOr<ComparisonResult> result);
  // Whether it is, the one that was asked does not say at present. `soon`: it may do so at any moment.
  void OnSilent(const std::string& why, bool soon);
  void OnRefuted(const ComparisonResult& result);
  void AdoptIfUnfinished(const ComparisonResult& result);
  void Adopt(const ComparisonResult& result);
  // Where the upstream says that the copy has diverged: finds out where.
  void Locate();
  // Of what is here, bytes: of a copy what is committed.
  uint64_t OwnEnd() const { return unproved_ ? unproved_->size : copy_.committed.offset; }
  std::string DescribeDivergence() const;
  std::string DivergenceRemedy() const;
  // The bytes differ: no more is followed until a person says so.
  void OnDifference(const v1::Comparison& report);
  void OnNoDifference();
  void EndComparing(const std::string& why);
  void ScrubIfDue();
  void OnScrubbed(const absl::StatusOr<ComparisonResult>& result, uint64_t end);
  // Whose file the copy is compared with.
  std::string ComparedAddress() const;
  Comparisons::Wish WishFor(Comparisons::Purpose purpose);
  absl::Status CheckSameFile(const v1::Lineage& upstream) const;
  // Nobody of an earlier generation than is known judges.
  absl::Status CheckGeneration(const v1::Lineage& upstream) const;
  // Whether there is another address to ask, of which `asked` were; the next comparison does.
  bool AskNextAddress(size_t* asked);
  void CompareWith(uint64_t rate, std::function<bool()> wanted, size_t asked,
                   absl::AnyInvocable<void(v1::CompareResponse)> answer);
  v1::CompareResponse OnCompared(absl::StatusOr<ComparisonResult> result, uint64_t end);
  void FillComparisons(v1::StorageStatus& status) const;
  void BeginResync();
  void OnResyncCompared(absl::StatusOr<ComparisonResult> result);
  void OnSurveyed(const ComparisonResult& result, absl::StatusOr<CopyFile::Surplus> surplus);
  void GiveUp(const ComparisonResult& result, v1::ResyncResponse response);
  void OnGivenUp(const absl::Status& status);
  void AnswerResync(v1::ResyncResponse response);
  void AnswerResync(v1::ResyncResponse::Result result, const std::string& message);

  // For a stream to close in order. What is paused takes nothing more, so its peer may be in the middle of a message.
  static constexpr absl::Duration kStopGrace = absl::Seconds(2);
  static constexpr absl::Duration kStopGraceWhilePaused = absl::Milliseconds(200);

  const StorageOptions options_;
  StorageServices services_;
  runtime::Runtime& runtime_;
  SourceEvents events_;
  ProblemReport problem_;
  CopyFile file_;  // I/O thread

  // Strand.
  IndexKeeper index_;
  CopyWriter writer_;
  SwapCommand swap_command_;
  UpstreamSearch search_;
  UpstreamHealth health_;
  SecondaryState state_ = SecondaryState::kStarting;
  replication::Copy copy_;
  Comparisons comparisons_;
  ScrubSchedule scrub_;
  std::optional<CopyFile::Found::Unproved> unproved_;  // what is there; it is no copy yet
  std::optional<v1::Comparison> divergence_;           // where it differs from the upstream's file, as far as is known
  std::string compared_;                               // with whom; empty: with the one that is followed, or was last
  Proving proving_;                                    // whose it is
  bool ask_soon_ = false;                              // in its next pass, somebody may say more
  std::string said_diverged_;                          // by the upstream, last; empty: it was not said
  bool conflict_ = false;                              // said was that there are two primaries of one generation
  bool differs_ = false;                               // a comparison found a difference: nobody is followed
  std::optional<Asked> asked_;                         // and not begun
  struct Vouched {
    std::string refusal;   // of whoever asked
    std::string trouble;   // why it is not told
    std::string remedy;    // what a person may do about that; empty: nothing
    absl::Duration until;  // it is not tried again
    absl::Duration pause;  // after the next time
  };
  Vouched vouched_;
  struct ResyncWish {
    bool dry_run = false;
    std::function<bool()> wanted;
    absl::AnyInvocable<void(v1::ResyncResponse)> answer;
    bool begun = false;
    bool giving_up = false;
    size_t asked = 0;  // of the addresses
  };
  std::optional<ResyncWish> resync_;
  replication::Backoff backoff_;
  std::shared_ptr<UpstreamConnection> upstream_;
  std::unique_ptr<runtime::Timer> retry_;
  bool published_ = false;
  bool stopping_ = false;
  bool idle_ = true;  // neither a connection nor the cut after one is under way
  absl::AnyInvocable<void()> quiesced_;
  bool complete_ = false;  // the file was once all that the primary had
  Reach reach_ = Reach::kUnknown;
  bool look_soon_ = false;  // at once after the present attempt
  bool seeking_ = false;    // one to connect to is being looked for
  bool leaving_ = false;    // the present one, for another
  // Who was told last that there is another primary.
  struct RivalTold {
    std::string address;
    uint64_t generation = 0;
    absl::Duration time;  // by Runtime::Now
  };
  RivalTold rival_told_;
  absl::Duration primary_heard_;  // over the present one, or it was connected to, last
  bool upstream_is_secondary_ = false;
  std::string noted_upstream_;     // in the state, with that
  bool followed_ = false;          // the upstream, since this process was started
  bool stopped_in_order_ = false;  // the upstream, since it was followed last
  absl::Time stopped_at_;
  bool rebuilding_ = false;  // what it sent last was for another file than the live one
  uint64_t told_end_ = 0;    // else: the committed end that it told of last
  bool progressed_ = false;  // the present connection has got something done
  std::unique_ptr<runtime::Timer> look_;
  std::unique_ptr<runtime::Timer> forget_old_;
  std::atomic<bool> hurry_ = false;
  absl::Duration state_saved_;
  absl::Duration place_checked_;
  absl::Duration scrub_saved_;
  absl::Duration stream_began_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_SECONDARY_SOURCE_H_

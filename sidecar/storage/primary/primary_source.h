// A primary's file as a source: opens it, follows its tail, gives it its identity.
#ifndef ZRS_SIDECAR_STORAGE_PRIMARY_PRIMARY_SOURCE_H_
#define ZRS_SIDECAR_STORAGE_PRIMARY_PRIMARY_SOURCE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "filestorage/tail.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/primary/look_interval.h"
#include "sidecar/storage/primary/primary_file.h"
#include "sidecar/storage/problem.h"
#include "sidecar/storage/source.h"

namespace zrs::storage {

class PrimarySource final : public Source {
 public:
  PrimarySource(const StorageOptions& options, StorageServices services);

  void Start(SourceEvents events) override;
  void Quiesce(absl::AnyInvocable<void()> done) override;
  void Close(absl::AnyInvocable<void()> done) override;
  void Refresh(absl::AnyInvocable<void()> done) override;
  void OnUnreadable(const absl::Status& error) override;
  void Remember(replication::KnownFollower follower) override;
  void OnRival(const v1::End& end) override;
  v1::End::TakesIdentity takes_identity() const override;
  void TakeIdentity(const v1::Lineage& lineage, absl::AnyInvocable<void(absl::Status)> taken) override;
  void OnIdentityShared() override;
  void Pause(absl::AnyInvocable<void()>) override {}
  void Resume() override {}
  bool is_primary() const override { return true; }
  bool serving() const override { return published_ && !problem_.raised(); }
  absl::Status end_known() const override;
  bool complete() const override { return !scanning_; }
  std::optional<PrimaryView> primary_view() const override { return PrimaryView{.now = runtime_.UnixNow()}; }
  void FillStatus(v1::StorageStatus& status) const override;

  // Another primary is known, and this one sends nothing any more.
  bool superseded() const { return superseded_; }
  // Of one that is superseded: as PrimaryFile's. The source does nothing with it: to be ended, and made anew.
  void BeginGeneration(absl::AnyInvocable<void(absl::StatusOr<v1::Lineage>)> done);
  // As PrimaryFile's. To be ended then, for a secondary.
  void GiveUp(absl::AnyInvocable<void(absl::Status)> done);
  // As PrimaryFile's Adopt and AdoptRestored. To be ended then, and made anew.
  void Adopt(v1::AdoptRequest::As as, absl::AnyInvocable<void(absl::StatusOr<std::string>)> done);

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) override { return file_.Read(offset, out); }
  const char* Fresh(uint64_t offset, uint64_t size) const override {
    return published_ && open_ ? fresh_.Find(offset, size) : nullptr;
  }
  bool RemembersPosition(const replication::OldPosition& position) override {
    return file_.RemembersPosition(position);
  }
  absl::StatusOr<size_t> ReadOld(uint64_t offset, absl::Span<char> out) override { return file_.ReadOld(offset, out); }

 private:
  void TryOpen();
  void OnOpened(absl::StatusOr<PrimaryFile::Opened> opened);
  void AnswerRefreshes();
  // Whether a pack's file most likely is on its way into the place: what is committed is known once that is proved.
  bool AwaitsProof() const { return pending_ && !diverged_ && !failed_ && !quiescing_ && !stopping_; }
  // Puts back those that a poll was to answer.
  void KeepRefreshes();
  // A stop that finds the file without a name: what was committed before it went is told all the same.
  void FinishUnnamed();
  // NotFound and the like: waits for the file.
  void WaitForFile(const absl::Status& status, absl::AnyInvocable<void()> try_again);
  // A problem that may go away by itself. While nothing is published followers are told of it, and when it is gone too.
  void RaisePassing(const std::string& message, const std::string& remedy);
  void ClearPassing();
  void BeginScan(const PrimaryFile::Opened& opened);
  void OnNotified();
  // Whether the look that brought it found several transactions; before OnReport.
  bool IsCrowd(const filestorage::TailReport& report) const;
  // For a moment notifications are only noted. Whoever asks for a look has it at once, which ends the pause. Behind the
  // second crowd in a row writes are not told any more: there is a look behind each pause then.
  void PauseBehindCrowd();
  void TellWritesAgain();
  // Looks at the file at once, or right behind the look that is under way. `by_time`: nothing else led to it.
  void Poll(bool by_time = false);
  void OnPolled(absl::StatusOr<filestorage::TailReport> report);
  void OnReport(const filestorage::TailReport& report);
  // Something that is normal for a moment, and a problem when it lasts.
  void OnUnsettled(const std::string& reason, const std::string& remedy);
  // Another file is in the place of the one that was followed, or other bytes are in it.
  void OnReplaced(const filestorage::TailReport& report);
  void Reopen(filestorage::TailEvent event);
  void OnReopened(absl::StatusOr<PrimaryFile::Opened> opened, filestorage::TailEvent event);
  void ProvePending();
  void WaitToProve(const absl::Status& status);
  void OnProved(absl::StatusOr<filestorage::PackProof> proof);
  void OnEpochBegun(absl::StatusOr<PrimaryFile::Opened> opened);
  void Publish();
  void OnIdentityTaken(const v1::Lineage& lineage);
  void OnTick();
  void ScheduleTick();
  void SendHeartbeat();
  void SaveState();
  void FailUnreadable();
  void Fail(const std::string& message, const std::string& remedy);
  absl::Status CheckAdoptable(v1::AdoptRequest::As as) const;
  v1::End SupersededEnd(const std::string& message) const;
  void Supersede(const std::string& message);

  const StorageOptions options_;
  StorageServices services_;
  runtime::Runtime& runtime_;
  SourceEvents events_;
  ProblemReport problem_;
  LookInterval look_interval_;

  PrimaryFile file_;  // I/O thread

  // Strand.
  std::optional<State> state_;
  filestorage::Magic magic_ = filestorage::Magic::kFs30;
  uint32_t file_mode_ = 0;
  filestorage::Boundary end_;
  uint64_t file_size_ = 0;
  bool scanning_ = false;  // what the file had at the start is being looked through
  uint64_t scan_start_ = 0;
  absl::Duration scan_began_;
  std::unique_ptr<runtime::FileWatch> watch_;
  std::unique_ptr<runtime::Timer> tick_;
  std::unique_ptr<runtime::Timer> pause_;  // behind a look that found several transactions
  bool interrupted_ = false;               // of the present look, or the last one: it came in a pause
  int crowds_ = 0;                         // in a row, up to kCrowdsUntold
  std::unique_ptr<runtime::Timer> heartbeat_;
  std::unique_ptr<runtime::Timer> forget_old_;
  bool open_ = false;         // there is a file to look at
  PrimaryFile::Fresh fresh_;  // of the last poll
  bool pending_ = false;      // it was put in place of another, and is not proved to be a pack of that
  bool proving_ = false;      // that is being looked into
  bool unlooked_ = false;     // it has grown since that was looked into last
  bool diverged_ = false;     // it is not
  absl::Status unreadable_;   // a publisher could not read; until the next report tells whether the file was replaced
  bool published_ = false;
  // What followers are told while nothing is published, though nothing is the matter.
  const char* unpublished_ = "the zrs of the primary looks through its file";
  bool failed_ = false;
  bool superseded_ = false;  // there is another primary
  bool quiescing_ = false;
  bool stopping_ = false;
  bool polling_ = false;
  bool poll_again_ = false;
  bool noticed_ = false;  // the watcher has told of something since the last look began
  bool by_time_ = false;  // of the present look: as Poll has it
  // Answered by the next poll that begins after they came, and finds a file that is published, or not on its way there.
  std::vector<absl::AnyInvocable<void()>> refreshed_;
  std::vector<absl::AnyInvocable<void()>> refreshing_;
  std::optional<absl::Duration> unsettled_since_;
  std::string unsettled_;  // why, once it is told
  absl::Duration state_saved_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PRIMARY_PRIMARY_SOURCE_H_

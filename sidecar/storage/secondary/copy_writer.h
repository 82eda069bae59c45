// Carries what an upstream's session wishes of the copy to the I/O thread, and the answers back; holds it while paused.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COPY_WRITER_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COPY_WRITER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "sidecar/storage/secondary/upstream_connection.h"

namespace zrs::storage {

// Everything on the strand. Each wish is answered to the connection that had it, after `events` were told.
class CopyWriter {
 public:
  struct Events {
    std::function<void(const absl::Status&)> failed;
    std::function<void(const replication::CreateCopy&)> created;
    std::function<void(const v1::Lineage&)> adopted;  // that of the live file, durably
    std::function<void()> swapping;                   // the live file is about to be replaced: nobody reads it any more
    std::function<void(const replication::SwapCopy&, const std::string& time)> swapped;  // when: RFC 3339
  };
  using Upstream = std::shared_ptr<UpstreamConnection>;

  // `runtime` and `file` outlive the last answer.
  CopyWriter(std::string storage, runtime::Runtime& runtime, CopyFile& file, Events events);

  void Create(Upstream upstream, replication::CreateCopy create);
  void Adopt(Upstream upstream, const replication::AdoptLineage& adopt);
  void Prepare(Upstream upstream, replication::PrepareRebuild prepare);
  void Write(Upstream upstream, replication::WriteGroup group);
  void Prove(Upstream upstream, replication::ProveRebuild prove);
  void Swap(Upstream upstream, replication::SwapCopy swap);

  // Cuts what is not committed, after a stream; removes the file beside too where that is of no use. `done` tells what
  // of it is there.
  using CutDone = absl::AnyInvocable<void(const absl::Status&, std::optional<replication::RebuildCopy>)>;
  void Cut(bool drop_rebuild, CutDone done);
  // These fail with a warning in the log: nothing is lost by it.
  void SaveState();
  void NoteComplete();  // as CopyFile's
  void CheckPlace();    // as CopyFile's: an error is a failure of the file
  void NoteUpstream(const std::string& address, bool is_secondary);
  void NoteGeneration(uint64_t generation);
  void NoteDifference(const std::string& difference);
  void NoteScrub(const State::Scrub& scrub);
  void DropRebuild();
  void ForgetOldFile();
  void OnSwapTold(const std::string& time);  // as CopyFile's

  // From `held` on the live file stays as it is (absent, where there is none), until Resume: what would change it
  // waits.
  void Pause(absl::AnyInvocable<void()> held);
  void Resume();
  bool paused() const { return paused_; }

  // Nothing is begun for its own sake any more. While paused the live file stays as it is for good: what was held is
  // dropped, with a Cancelled to the connection that wished it. The upstream sends it again at the next start.
  void Stop();

 private:
  using Work = absl::AnyInvocable<absl::Status()>;
  using Answer = absl::AnyInvocable<void(const absl::Status&)>;
  // What would change the live file: one of the two is called.
  struct Step {
    absl::AnyInvocable<void()> run;
    absl::AnyInvocable<void()> drop;
  };
  void Do(Work work, Answer answer);
  void HoldOrRun(Step step);
  // Whether another group may be expected soon after the one that is written now; sees to it that the file is tidy when
  // none comes.
  bool ExpectMore();
  void TidyWhenQuiet(absl::Duration delay);

  void DoOrWarn(absl::AnyInvocable<absl::Status()> work, const char* consequence);

  const std::string storage_;
  runtime::Runtime& runtime_;
  CopyFile& file_;
  Events events_;
  bool paused_ = false;
  std::vector<Step> held_;
  std::optional<absl::Duration> written_;  // when the last group was
  std::unique_ptr<runtime::Timer> tidy_;   // runs while more is expected
  int expected_small_ = 0;                 // small groups in a row behind each of which more was expected
  bool stopping_ = false;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COPY_WRITER_H_

#include "sidecar/storage/secondary/copy_writer.h"

#include <utility>

#include "absl/status/statusor.h"
#include "filestorage/pack_proof.h"
#include "filestorage/timestamp.h"
#include "sidecar/storage/range_digest.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

// Commits that come as often as this make the file expect the next one, which saves each a sync.
constexpr absl::Duration kOften = absl::Milliseconds(50);
// When none came for so long the file ends at its committed end again.
constexpr absl::Duration kQuiet = absl::Milliseconds(100);

// What saves a part of each sync costs a sync of its own, and is taken back when none came for so long: it pays where
// several small groups come in a row.
constexpr int kGroupsBeforeRoom = 8;
constexpr uint64_t kMostForRoom = 64 << 10;

uint64_t BytesOf(const replication::WriteGroup& group) {
  uint64_t bytes = 0;
  for (const std::string& piece : group.pieces) bytes += piece.size();
  return bytes;
}

absl::Status Dropped() { return absl::CancelledError("the copy is paused, and zrs stops"); }

}  // namespace

CopyWriter::CopyWriter(std::string storage, runtime::Runtime& runtime, CopyFile& file, Events events)
    : storage_(std::move(storage)), runtime_(runtime), file_(file), events_(std::move(events)) {}

void CopyWriter::Do(Work work, Answer answer) {
  runtime_.PostIo([this, work = std::move(work), answer = std::move(answer)]() mutable {
    absl::Status status = work();
    runtime_.Post([this, answer = std::move(answer), status = std::move(status)]() mutable {
      if (!status.ok()) events_.failed(status);
      answer(status);
    });
  });
}

void CopyWriter::HoldOrRun(Step step) {
  if (!paused_) return step.run();
  if (stopping_) return runtime_.Post(std::move(step.drop));
  held_.push_back(std::move(step));
}

void CopyWriter::Create(Upstream upstream, replication::CreateCopy create) {
  auto run = [this, upstream, create = std::move(create)]() mutable {
    Do([this, create] { return file_.Create(create); },
       [this, create, upstream = std::move(upstream)](const absl::Status& status) {
         if (status.ok()) events_.created(create);
         upstream->OnCreated(status);
       });
  };
  HoldOrRun({std::move(run), [upstream] { upstream->OnCreated(Dropped()); }});
}

void CopyWriter::Adopt(Upstream upstream, const replication::AdoptLineage& adopt) {
  Do([this, adopt] { return file_.Adopt(adopt.lineage); },
     [this, adopt, upstream = std::move(upstream)](const absl::Status& status) {
       if (status.ok()) events_.adopted(adopt.lineage);
       upstream->OnCreated(status);
     });
}

void CopyWriter::Prepare(Upstream upstream, replication::PrepareRebuild prepare) {
  Do([this, prepare = std::move(prepare)] { return file_.PrepareRebuild(prepare); },
     [upstream = std::move(upstream)](const absl::Status& status) { upstream->OnCreated(status); });
}

void CopyWriter::Write(Upstream upstream, replication::WriteGroup group) {
  const bool beside = upstream->session().rebuilding();
  auto write = [this, beside, upstream, group = std::move(group)]() mutable {
    const bool live = upstream->session().state() == replication::FollowerSession::State::kStreaming;
    const bool more_expected = live && group.commit && ExpectMore();
    expected_small_ = more_expected && BytesOf(group) <= kMostForRoom ? expected_small_ + 1 : 0;
    Do(
        [this, beside, more_expected, group = std::move(group)]() mutable {
          return beside ? file_.WriteRebuild(std::move(group)) : file_.Write(std::move(group), more_expected);
        },
        [upstream = std::move(upstream)](const absl::Status& status) { upstream->OnWritten(status); });
    if (expected_small_ >= kGroupsBeforeRoom) Do([this] { return file_.MakeRoom(); }, [](const absl::Status&) {});
  };
  if (beside) return write();
  HoldOrRun({std::move(write), [upstream] { upstream->OnWritten(Dropped()); }});
}

bool CopyWriter::ExpectMore() {
  const absl::Duration now = runtime_.Now();
  const bool often = written_ && now - *written_ < kOften && !stopping_;
  written_ = now;
  if (often && !tidy_) TidyWhenQuiet(kQuiet);
  return often;
}

void CopyWriter::TidyWhenQuiet(absl::Duration delay) {
  tidy_ = runtime_.After(delay, [this] {
    const absl::Duration quiet = runtime_.Now() - *written_;
    if (quiet < kQuiet) return TidyWhenQuiet(kQuiet - quiet);
    tidy_.reset();
    Do([this] { return file_.Tidy(); }, [](const absl::Status&) {});
  });
}

void CopyWriter::Prove(Upstream upstream, replication::ProveRebuild prove) {
  RangeToDigest range{0, prove.end.offset,
                      [this](uint64_t offset, absl::Span<char> out) { return file_.ReadRebuild(offset, out); },
                      [upstream] { return upstream->open(); }};
  DigestRange(runtime_, std::move(range), [this, upstream](absl::StatusOr<filestorage::Digest> digest) {
    if (!digest.ok()) {
      if (!absl::IsCancelled(digest.status())) events_.failed(digest.status());
      return upstream->OnProved(digest.status());
    }
    runtime_.PostIo([this, upstream, digest = *digest] {
      auto pack = file_.ProveRebuild();
      runtime_.Post([this, upstream, digest, pack = std::move(pack)]() mutable {
        if (!pack.ok()) {
          events_.failed(pack.status());
          return upstream->OnProved(pack.status());
        }
        upstream->OnProved(replication::RebuildProof{digest, std::move(pack->reason)});
      });
    });
  });
}

void CopyWriter::Swap(Upstream upstream, replication::SwapCopy swap) {
  auto run = [this, upstream, swap]() mutable {
    events_.swapping();
    const std::string time = filestorage::Rfc3339(runtime_.UnixNow());
    Do([this, swap, time] { return file_.Swap(swap, time); },
       [this, swap, time, upstream = std::move(upstream)](const absl::Status& status) {
         if (status.ok()) events_.swapped(swap, time);
         upstream->OnSwapped(status);
       });
  };
  HoldOrRun({std::move(run), [upstream] { upstream->OnSwapped(Dropped()); }});
}

void CopyWriter::Cut(bool drop_rebuild, CutDone done) {
  runtime_.PostIo([this, drop_rebuild, paused = paused_, done = std::move(done)]() mutable {
    if (paused && !file_.tidy()) {
      const auto shared = std::make_shared<CutDone>(std::move(done));
      return runtime_.Post([this, drop_rebuild, shared] {
        HoldOrRun({[this, drop_rebuild, shared] { Cut(drop_rebuild, std::move(*shared)); },
                   [shared] { (*shared)(absl::OkStatus(), std::nullopt); }});
      });
    }
    absl::Status cut = file_.Cut();
    if (cut.ok() && drop_rebuild) cut = file_.DropRebuild();
    runtime_.Post([cut = std::move(cut), rebuild = file_.rebuild(), done = std::move(done)]() mutable {
      done(cut, std::move(rebuild));
    });
  });
}

void CopyWriter::DoOrWarn(absl::AnyInvocable<absl::Status()> work, const char* consequence) {
  runtime_.PostIo([this, work = std::move(work), consequence]() mutable {
    const absl::Status done = work();
    if (!done.ok()) spdlog::warn("storage {}: {}; {}", storage_, done.ToString(), consequence);
  });
}

// The bound only saves time at the next start; the identity in the old file stays true.
void CopyWriter::SaveState() {
  DoOrWarn([this] { return file_.SaveState(); }, "the next start scans more of the file");
}

void CopyWriter::CheckPlace() {
  Do([this] { return file_.CheckPlace(); }, [](const absl::Status&) {});
}

void CopyWriter::NoteComplete() {
  DoOrWarn([this] { return file_.NoteComplete(); }, "a promotion is refused until it is remembered");
}

void CopyWriter::NoteUpstream(const std::string& address, bool is_secondary) {
  DoOrWarn([this, address, is_secondary] { return file_.NoteUpstream(address, is_secondary); },
           "after a restart a promotion does not know whether the upstream is a secondary");
}

void CopyWriter::NoteGeneration(uint64_t generation) {
  DoOrWarn([this, generation] { return file_.NoteGeneration(generation); },
           "a promotion may begin a generation that is there already");
}

void CopyWriter::NoteDifference(const std::string& difference) {
  DoOrWarn([this, difference] { return file_.NoteDifference(difference); },
           "after a restart the difference from the upstream's file is not known any more");
}

void CopyWriter::NoteScrub(const State::Scrub& scrub) {
  DoOrWarn(
      [this, scrub] {
        file_.NoteScrub(scrub);
        return file_.SaveState();
      },
      "after a restart the scrub begins anew");
}

void CopyWriter::DropRebuild() {
  DoOrWarn([this] { return file_.DropRebuild(); }, "the unfinished new file stays beside the copy");
}

void CopyWriter::OnSwapTold(const std::string& time) {
  DoOrWarn([this, time] { return file_.OnSwapTold(time); }, "the on-swap command is run again at the next start");
}

void CopyWriter::ForgetOldFile() {
  runtime_.PostIo([this] { file_.ForgetOldFile(); });
}

void CopyWriter::Stop() {
  stopping_ = true;
  tidy_.reset();
  if (!paused_) return;
  runtime_.PostIo([this] { file_.LeaveAsItIs(); });
  for (Step& step : std::exchange(held_, {})) step.drop();
}

void CopyWriter::Pause(absl::AnyInvocable<void()> held) {
  paused_ = true;
  // Behind what is being written now.
  Do([this] { return file_.Tidy(); }, [held = std::move(held)](const absl::Status&) mutable { held(); });
}

void CopyWriter::Resume() {
  paused_ = false;
  for (Step& step : std::exchange(held_, {})) step.run();
}

}  // namespace zrs::storage

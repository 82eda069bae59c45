#include "sidecar/storage/copy_writer.h"

#include <utility>

#include "absl/status/statusor.h"
#include "filestorage/pack_proof.h"
#include "sidecar/storage/range_digest.h"

namespace zrs::storage {

CopyWriter::CopyWriter(runtime::Runtime& runtime, CopyFile& file, Events events)
    : runtime_(runtime), file_(file), events_(std::move(events)) {}

void CopyWriter::Do(Work work, Answer answer) {
  runtime_.PostIo([this, work = std::move(work), answer = std::move(answer)]() mutable {
    absl::Status status = work();
    runtime_.Post([this, answer = std::move(answer), status = std::move(status)]() mutable {
      if (!status.ok()) events_.failed(status);
      answer(status);
    });
  });
}

void CopyWriter::HoldOrRun(absl::AnyInvocable<void()> step) {
  if (!paused_) return step();
  held_.push_back(std::move(step));
}

void CopyWriter::Create(Upstream upstream, replication::CreateCopy create) {
  Do([this, create] { return file_.Create(create); },
     [this, create, upstream = std::move(upstream)](const absl::Status& status) {
       if (status.ok()) events_.created(create);
       upstream->OnCreated(status);
     });
}

void CopyWriter::Prepare(Upstream upstream, replication::PrepareRebuild prepare) {
  Do([this, prepare = std::move(prepare)] { return file_.PrepareRebuild(prepare); },
     [upstream = std::move(upstream)](const absl::Status& status) { upstream->OnCreated(status); });
}

void CopyWriter::Write(Upstream upstream, replication::WriteGroup group) {
  const bool beside = upstream->session().rebuilding();
  auto write = [this, beside, upstream = std::move(upstream), group = std::move(group)]() mutable {
    Do([this, beside, group = std::move(group)] { return beside ? file_.WriteRebuild(group) : file_.Write(group); },
       [upstream = std::move(upstream)](const absl::Status& status) { upstream->OnWritten(status); });
  };
  if (beside) return write();
  HoldOrRun(std::move(write));
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
  HoldOrRun([this, upstream = std::move(upstream), swap]() mutable {
    events_.swapping();
    Do([this, swap] { return file_.Swap(swap); },
       [this, swap, upstream = std::move(upstream)](const absl::Status& status) {
         if (status.ok()) events_.swapped(swap);
         upstream->OnSwapped(status);
       });
  });
}

void CopyWriter::Pause(absl::AnyInvocable<void()> held) {
  paused_ = true;
  // Behind what is being written now.
  runtime_.PostIo([this, held = std::move(held)]() mutable { runtime_.Post(std::move(held)); });
}

void CopyWriter::Resume() {
  paused_ = false;
  for (auto& step : std::exchange(held_, {})) step();
}

}  // namespace zrs::storage

#include "sidecar/storage/publisher/position_probes.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "filestorage/boundary_probe.h"

namespace zrs::storage {

using filestorage::Boundary;
using filestorage::BoundaryProbe;

namespace {

constexpr size_t kMostFound = 8;

}  // namespace

struct PositionProbes::Probe {
  Probe(const Boundary& boundary, uint64_t present_file) : probe(boundary), file(present_file) {}

  // Strand and I/O thread in turns.
  BoundaryProbe probe;
  std::optional<replication::OldPosition> old;
  absl::StatusOr<BoundaryProbe::Answer> answer = BoundaryProbe::Answer::kNotYet;
  // On the strand.
  std::vector<Asker> askers;
  const uint64_t file;
  uint64_t paid = 0;  // of the bytes read
};

PositionProbes::PositionProbes(runtime::Runtime& runtime, CommittedBytes& bytes, uint64_t rate, uint64_t burst)
    : runtime_(runtime), bytes_(bytes), rate_(rate, burst) {}

void PositionProbes::Find(const Boundary& boundary, Asker asker) {
  if (absl::c_linear_search(found_, boundary)) return asker.done(true);
  DropUnwanted();
  const auto same = [&](const std::shared_ptr<Probe>& probe) {
    return probe && !probe->old && probe->file == file_ && probe->probe.boundary() == boundary;
  };
  if (same(reading_)) return reading_->askers.push_back(std::move(asker));
  if (const auto probe = absl::c_find_if(waiting_, same); probe != waiting_.end()) {
    return (*probe)->askers.push_back(std::move(asker));
  }
  auto probe = std::make_shared<Probe>(boundary, file_);
  probe->askers.push_back(std::move(asker));
  Add(std::move(probe));
}

void PositionProbes::FindOld(const replication::OldPosition& position, Asker asker) {
  auto probe = std::make_shared<Probe>(position.boundary, file_);
  probe->old = position;
  probe->askers.push_back(std::move(asker));
  Add(std::move(probe));
}

void PositionProbes::Forget() {
  ++file_;
  found_.clear();
}

void PositionProbes::Add(std::shared_ptr<Probe> probe) {
  DropUnwanted();
  waiting_.push_back(std::move(probe));
  Next();
}

// So that no more wait than there are streams.
void PositionProbes::DropUnwanted() {
  const auto drop = [](Probe& probe) {
    std::erase_if(probe.askers, [](const Asker& asker) { return !asker.wanted(); });
    return probe.askers.empty();
  };
  if (reading_) drop(*reading_);
  std::erase_if(waiting_, [&drop](const std::shared_ptr<Probe>& probe) { return drop(*probe); });
}

void PositionProbes::Next() {
  if (reading_ || timer_) return;
  DropUnwanted();
  if (waiting_.empty()) return;
  const absl::Duration wait = rate_.Take(runtime_.Now(), 0);
  if (wait == absl::ZeroDuration()) {
    reading_ = std::move(waiting_.front());
    waiting_.pop_front();
    return ReadSlice(reading_);
  }
  timer_ = runtime_.After(wait, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->timer_.reset();
    self->Next();
  });
}

void PositionProbes::ReadSlice(std::shared_ptr<Probe> probe) {
  runtime_.PostIo([&runtime = runtime_, &bytes = bytes_, weak = weak_from_this(), probe = std::move(probe)]() mutable {
    if (probe->old && probe->probe.bytes_read() == 0 && bytes.RemembersPosition(*probe->old)) {
      probe->answer = BoundaryProbe::Answer::kThere;
    } else if (probe->old && !bytes.OldFileIsOf(*probe->old)) {
      probe->answer = BoundaryProbe::Answer::kNotThere;
    } else {
      probe->answer = probe->probe.Step(
          [&](uint64_t offset, absl::Span<char> out) {
            return probe->old ? bytes.ReadOld(offset, out) : bytes.Read(offset, out);
          },
          kSlice);
    }
    runtime.Post([weak = std::move(weak), probe = std::move(probe)]() mutable {
      if (const auto self = weak.lock()) self->OnSlice(std::move(probe));
    });
  });
}

void PositionProbes::OnSlice(std::shared_ptr<Probe> probe) {
  reading_.reset();
  const uint64_t read = probe->probe.bytes_read();
  rate_.Take(runtime_.Now(), read - std::exchange(probe->paid, read));
  if (!probe->answer.ok()) {
    Answer(*probe, probe->answer.status());
  } else if (*probe->answer == BoundaryProbe::Answer::kNotYet) {
    waiting_.push_back(std::move(probe));
  } else {
    const bool there = *probe->answer == BoundaryProbe::Answer::kThere;
    if (there && !probe->old && probe->file == file_ && read > kSlice) {
      found_.push_back(probe->probe.boundary());
      if (found_.size() > kMostFound) found_.pop_front();
    }
    Answer(*probe, there);
  }
  Next();
}

void PositionProbes::Answer(Probe& probe, const absl::StatusOr<bool>& answer) {
  for (Asker& asker : probe.askers) {
    if (asker.wanted()) asker.done(answer);
  }
}

}  // namespace zrs::storage

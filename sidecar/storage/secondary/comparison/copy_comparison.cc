#include "sidecar/storage/secondary/comparison/copy_comparison.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/limits.h"
#include "sidecar/storage/range_digest.h"

namespace zrs::storage {
namespace {

constexpr uint64_t kLargestRange = replication::kMostInspected;
constexpr uint64_t kSmallestRange = 64 << 10;
// Commits that come meanwhile wait so long at most.
constexpr uint64_t kSlice = 1 << 20;

// A slow comparison is to be slow all the time, not now and then for long.
uint64_t RangeFor(uint64_t rate) {
  return rate == 0 ? kLargestRange : std::clamp(rate / 4, kSmallestRange, kLargestRange);
}

}  // namespace

CopyComparison::CopyComparison(runtime::Runtime& runtime, ComparedFile file, const filestorage::Boundary& from,
                               uint64_t rate, std::shared_ptr<UpstreamInspector> upstream, Hooks hooks)
    : runtime_(runtime),
      file_(std::move(file)),
      start_(from.offset),
      range_(RangeFor(rate)),
      rate_(rate),
      upstream_(std::move(upstream)),
      hooks_(std::move(hooks)),
      position_(from.offset) {
  result_.same = from;
}

void CopyComparison::Start() {
  // It is held by what would be called, so it must not hold that.
  const std::weak_ptr<CopyComparison> weak = weak_from_this();
  upstream_->Start(
      [weak](const absl::StatusOr<InspectedFile>& upstream) {
        const auto self = weak.lock();
        if (!self || self->over_) return;
        upstream.ok() ? self->OnUpstream(*upstream) : self->Fail(upstream.status());
      },
      [weak](const absl::Status& broken) {
        const auto self = weak.lock();
        if (self && !self->over_) self->Fail(broken);
      });
}

void CopyComparison::Cancel() {
  over_ = true;
  timer_.reset();
  upstream_->Close();
  // Both may hold this.
  compared_ = nullptr;
  hooks_ = {};
}

void CopyComparison::OnUpstream(const InspectedFile& upstream) {
  if (absl::Status comparable = hooks_.check(upstream); !comparable.ok()) return Fail(comparable);
  result_.upstream = upstream;
  if (upstream.magic != file_.magic) {
    result_.same = {};
    result_.difference = 0;
    return Finish();
  }
  end_ = std::max(start_, std::min(file_.end, upstream.end.offset));
  scanner_.emplace(file_.magic, result_.same);
  CompareMagic();
}

void CopyComparison::CompareMagic() {
  Compare(
      0, filestorage::kMagicSize, [this](absl::string_view bytes) { absl::StrAppend(&magic_, bytes); },
      [this](bool equal) { equal ? Next() : Narrow(0, filestorage::kMagicSize); });
}

void CopyComparison::OnMagicDiffers(uint64_t difference) {
  result_.same = {};
  result_.difference = difference;
  const absl::string_view expected = filestorage::MagicBytes(file_.magic);
  const absl::Status damage = absl::DataLossError(absl::StrCat("at 0: it does not begin with \"", expected, "\""));
  (magic_ == expected ? result_.there : result_.here) = damage;
  LookHere();
}

void CopyComparison::Next() {
  if (position_ == end_) return LookHere();
  const uint64_t size = std::min(range_, end_ - position_);
  const absl::Duration wait = rate_.Take(runtime_.Now(), size);
  if (wait <= absl::ZeroDuration()) return CompareNext(size);
  timer_ = runtime_.After(wait, [this, size] { CompareNext(size); });
}

void CopyComparison::CompareNext(uint64_t size) {
  const uint64_t end = position_ + size;
  Compare(
      position_, end, [this](absl::string_view bytes) { Feed(bytes); },
      [this, end](bool equal) { equal ? OnEqual(end) : Narrow(position_, end); });
}

void CopyComparison::Feed(absl::string_view bytes) {
  if (!unsound_.empty()) return;
  const filestorage::ScanResult scanned = scanner_->Feed(bytes);
  if (scanned.outcome == filestorage::ScanOutcome::kMore) return;
  const bool corrupt = scanned.outcome == filestorage::ScanOutcome::kCorrupt;
  unsound_ =
      absl::StrCat("at ", scanned.position, ": ", corrupt ? scanned.reason : "a transaction that is not committed");
}

void CopyComparison::OnEqual(uint64_t end) {
  chain_.Add(position_, end, *ours_);
  position_ = end;
  result_.same = scanner_->last();
  result_.unsound = unsound_;
  Next();
}

void CopyComparison::Compare(uint64_t begin, uint64_t end, std::function<void(absl::string_view)> also,
                             Compared compared) {
  const auto self = shared_from_this();
  compared_ = std::move(compared);
  missing_ = 2;
  RangeToDigest range{begin, end, file_.read, [self] { return !self->over_; }, std::move(also), kSlice};
  DigestRange(runtime_, std::move(range), [self](absl::StatusOr<filestorage::Digest> digest) {
    if (!digest.ok()) digest = absl::InternalError(digest.status().message());
    self->TakeDigest(&self->ours_, std::move(digest));
  });
  upstream_->AskDigest(begin, end, [weak = weak_from_this()](absl::StatusOr<filestorage::Digest> digest) {
    if (const auto here = weak.lock()) here->TakeDigest(&here->theirs_, std::move(digest));
  });
}

void CopyComparison::TakeDigest(absl::StatusOr<filestorage::Digest>* place,
                                absl::StatusOr<filestorage::Digest> digest) {
  if (over_) return;
  *place = std::move(digest);
  if (--missing_ > 0) return;
  for (const auto* one : {&ours_, &theirs_}) {
    if (!one->ok()) return Fail(one->status());
  }
  std::exchange(compared_, nullptr)(*ours_ == *theirs_);
}

void CopyComparison::Narrow(uint64_t begin, uint64_t end) {
  if (end - begin == 1) return begin < filestorage::kMagicSize ? OnMagicDiffers(begin) : FindBoundary(begin);
  const uint64_t middle = begin + (end - begin) / 2;
  Compare(begin, middle, nullptr,
          [this, begin, middle, end](bool equal) { equal ? Narrow(middle, end) : Narrow(begin, middle); });
}

// What is known to be the same ends before the range that differs; the transactions up to the difference are to be
// found once more.
void CopyComparison::FindBoundary(uint64_t difference) {
  result_.difference = difference;
  const auto self = shared_from_this();
  unsound_ = result_.unsound;
  scanner_.emplace(file_.magic, result_.same);
  RangeToDigest range{result_.same.offset,
                      difference,
                      file_.read,
                      [self] { return !self->over_; },
                      [this](absl::string_view bytes) { Feed(bytes); },
                      kSlice};
  DigestRange(runtime_, std::move(range), [self](const absl::StatusOr<filestorage::Digest>& digest) {
    if (self->over_) return;
    if (!digest.ok()) return self->Fail(absl::InternalError(digest.status().message()));
    self->result_.same = self->scanner_->last();
    self->LookHere();
  });
}

uint64_t CopyComparison::looked_at() const { return std::max<uint64_t>(result_.same.offset, filestorage::kMagicSize); }

void CopyComparison::LookHere() {
  if (absl::IsDataLoss(result_.here.status()) || looked_at() >= file_.end) return LookThere();
  runtime_.PostIo([self = shared_from_this()] {
    auto here = filestorage::ProbeTransaction(self->file_.read, self->looked_at());
    self->runtime_.Post([self, here = std::move(here)]() mutable {
      if (self->over_) return;
      if (!here.ok() && !absl::IsDataLoss(here.status()))
        return self->Fail(absl::InternalError(here.status().message()));
      self->result_.here = std::move(here);
      self->LookThere();
    });
  });
}

void CopyComparison::LookThere() {
  if (absl::IsDataLoss(result_.there.status()) || looked_at() >= result_.upstream.end.offset) return Finish();
  upstream_->AskTransaction(looked_at(),
                            [weak = weak_from_this()](absl::StatusOr<filestorage::ProbedTransaction> there) {
                              const auto self = weak.lock();
                              if (!self || self->over_) return;
                              if (!there.ok() && !absl::IsDataLoss(there.status())) return self->Fail(there.status());
                              self->result_.there = std::move(there);
                              self->Finish();
                            });
}

void CopyComparison::Finish() {
  if (hooks_.vouch && !result_.differs()) return Vouch();
  Hooks hooks = std::move(hooks_);
  Cancel();
  hooks.done(std::move(result_));
}

void CopyComparison::Vouch() {
  v1::Vouch vouch = std::exchange(hooks_.vouch, nullptr)();
  vouch.set_proof(chain_.digest().ToBytes());
  upstream_->Vouch(std::move(vouch), [weak = weak_from_this()](absl::Status taken) {
    const auto self = weak.lock();
    if (self && !self->over_) taken.ok() ? self->Finish() : self->Fail(taken);
  });
}

// By value: what comes may be the inspector's own, which says something else once that is closed.
void CopyComparison::Fail(absl::Status status) {
  Hooks hooks = std::move(hooks_);
  Cancel();
  hooks.done(std::move(status));
}

}  // namespace zrs::storage

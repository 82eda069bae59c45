#include "sidecar/replication/transaction_trail.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace zrs::replication {
namespace {

constexpr size_t kTidSize = 8;
constexpr uint64_t kUnknownEnd = UINT64_MAX;

}  // namespace

void TransactionTrail::OnTransaction(const filestorage::ScannedTransaction& transaction) {
  if (size() > 0) {
    Entry& last = entries_.back();
    const bool begun = last.end == kUnknownEnd;
    if (begun || in_last_ < at_a_time_) {
      last.end = transaction.end;
      if (!begun) ++in_last_;
      return;
    }
  }
  Add({transaction.offset, transaction.end, transaction.tid});
}

void TransactionTrail::OnFed(const filestorage::Scanner& scanner, uint64_t offset, absl::string_view bytes) {
  if (!scanner.inside_transaction()) return;
  const uint64_t begin = scanner.last().offset;
  if (begin >= offset) {
    unfinished_tid_.clear();
    bytes.remove_prefix(static_cast<size_t>(begin - offset));
  } else if (unfinished_tid_.size() == kTidSize) {
    return;
  }
  absl::StrAppend(&unfinished_tid_, bytes.substr(0, kTidSize - unfinished_tid_.size()));
  if (unfinished_tid_.size() < kTidSize) return;
  Add({begin, kUnknownEnd, filestorage::DecodeUint64(unfinished_tid_)});
}

void TransactionTrail::DropUntil(uint64_t offset) {
  while (first_ < entries_.size() && entries_[first_].end <= offset) ++first_;
  if (size() <= limit_ / 4) at_a_time_ = 1;
}

filestorage::Tid TransactionTrail::OldestBefore(uint64_t offset) const {
  if (size() == 0 || entries_[first_].begin >= offset) return 0;
  return entries_[first_].tid;
}

void TransactionTrail::Add(const Entry& entry) {
  if (size() >= limit_) {
    Merge();
  } else if (entries_.size() >= 2 * limit_) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
  entries_.push_back(entry);
  in_last_ = 1;
}

void TransactionTrail::Merge() {
  size_t merged = 0;
  for (size_t i = first_; i < entries_.size(); i += 2, ++merged) {
    const uint64_t end = entries_[std::min(i + 1, entries_.size() - 1)].end;
    entries_[merged] = entries_[i];
    entries_[merged].end = end;
  }
  entries_.resize(merged);
  first_ = 0;
  at_a_time_ *= 2;
}

}  // namespace zrs::replication

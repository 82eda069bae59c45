#include "sidecar/replication/transaction_trail.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace zrs::replication {
namespace {

constexpr size_t kTidSize = 8;
constexpr uint64_t kUnknownEnd = UINT64_MAX;

}  // namespace

void TransactionTrail::OnTransaction(const filestorage::ScannedTransaction& transaction) {
  if (!entries_.empty() && entries_.back().end == kUnknownEnd) {
    entries_.back().end = transaction.end;
    return;
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
  while (!entries_.empty() && entries_.front().end <= offset) entries_.pop_front();
}

filestorage::Tid TransactionTrail::OldestBefore(uint64_t offset) const {
  if (entries_.empty() || entries_.front().begin >= offset) return 0;
  return entries_.front().tid;
}

void TransactionTrail::Add(const Entry& entry) {
  if (entries_.size() >= limit_) Merge();
  entries_.push_back(entry);
}

void TransactionTrail::Merge() {
  const size_t size = entries_.size();
  for (size_t i = 0; i < size; i += 2) {
    const uint64_t end = entries_[std::min(i + 1, size - 1)].end;
    entries_[i / 2] = entries_[i];
    entries_[i / 2].end = end;
  }
  entries_.resize((size + 1) / 2);
}

}  // namespace zrs::replication

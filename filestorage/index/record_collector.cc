#include "filestorage/index/record_collector.h"

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kMostPending = 65536;

}  // namespace

void RecordCollector::OnRecord(uint64_t position, const DataHeader& header) {
  if (!status_.ok()) return;
  if (header.version_length != 0) {
    status_ = absl::FailedPreconditionError(
        absl::StrCat("the record at ", position,
                     " belongs to a version, a feature of ZODB before 3.9: later ones "
                     "refuse such a file, and an index would hide that from them; export its objects with the ZODB "
                     "that wrote it"));
    return;
  }
  pending_.push_back({.oid = header.oid, .position = position});
  if (pending_.size() < kMostPending) return;
  AddPending();
  added_early_ = true;
}

void RecordCollector::OnTransaction(const ScannedTransaction& /*transaction*/) {
  AddPending();
  added_early_ = false;
}

void RecordCollector::OnRestart() {
  pending_.clear();
  lost_ = lost_ || added_early_;
  added_early_ = false;
}

void RecordCollector::AddPending() {
  for (const IndexEntry& entry : pending_) {
    if (status_.ok()) status_ = sort_.Add(entry);
  }
  pending_.clear();
}

}  // namespace zrs::filestorage

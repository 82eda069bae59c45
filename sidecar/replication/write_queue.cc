#include "sidecar/replication/write_queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "filestorage/format.h"

namespace zrs::replication {

using filestorage::Boundary;

namespace {

// Smaller pieces are joined, so that what a piece costs besides its bytes does not count.
constexpr size_t kSmallPiece = 64 << 10;

}  // namespace

WriteQueue::WriteQueue(WriteQueueOptions options) : options_(options) {}

void WriteQueue::Start(const Boundary& committed) {
  handed_ = committed.offset;
  committed_ = committed.offset;
}

void WriteQueue::Push(std::string bytes) {
  queued_ += bytes.size();
  if (!pieces_.empty() && pieces_.back().size() + bytes.size() <= kSmallPiece) {
    pieces_.back() += bytes;
  } else {
    pieces_.push_back(std::move(bytes));
  }
}

std::optional<WriteGroup> WriteQueue::Next(const Boundary& last, uint64_t upstream_end) {
  if (writing_) return std::nullopt;
  WriteGroup group;
  if (last.offset > handed_) {
    assert(last.offset - handed_ <= queued_);
    std::vector<std::string> pieces = Take(last.offset - handed_);
    if (CommitNow(last, upstream_end)) {
      group = Commit(last, std::move(pieces));
    } else {
      group.pieces = std::move(pieces);
      open_ = last;
    }
  } else if (open_) {
    group = Commit(*open_, {});
  } else if (queued_ > 0 && queued_ >= options_.piece_limit) {
    group.pieces = Take(queued_);
  } else {
    return std::nullopt;
  }
  writing_ = true;
  return group;
}

bool WriteQueue::CommitNow(const Boundary& last, uint64_t upstream_end) const {
  if (last.offset - committed_ >= options_.group_limit) return true;
  return upstream_end <= last.offset || upstream_end - last.offset <= options_.far_behind;
}

WriteGroup WriteQueue::Commit(const Boundary& boundary, std::vector<std::string> pieces) {
  WriteGroup group{std::move(pieces), boundary, {}};
  if (queued_ >= filestorage::kTransactionHeaderSize) group.following = Peek(filestorage::kTransactionHeaderSize);
  open_.reset();
  committing_ = boundary;
  return group;
}

std::optional<Boundary> WriteQueue::OnWritten() {
  assert(writing_);
  writing_ = false;
  if (committing_) committed_ = committing_->offset;
  return std::exchange(committing_, std::nullopt);
}

void WriteQueue::Clear() {
  pieces_.clear();
  queued_ = 0;
  open_.reset();
}

std::vector<std::string> WriteQueue::Take(uint64_t size) {
  std::vector<std::string> taken;
  handed_ += size;
  queued_ -= size;
  while (size > 0) {
    std::string& front = pieces_.front();
    if (front.size() > size) {
      std::string rest = front.substr(static_cast<size_t>(size));
      front.resize(static_cast<size_t>(size));
      taken.push_back(std::exchange(front, std::move(rest)));
      break;
    }
    size -= front.size();
    taken.push_back(std::move(front));
    pieces_.pop_front();
  }
  return taken;
}

std::string WriteQueue::Peek(size_t size) const {
  std::string first;
  for (const std::string& piece : pieces_) {
    if (first.size() == size) break;
    first.append(piece, 0, size - first.size());
  }
  return first;
}

}  // namespace zrs::replication

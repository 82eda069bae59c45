#include "tests/support/simulated_file_system_state.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "filestorage/file_system.h"

namespace zrs::tests {
namespace {

uint64_t SaturatingMultiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<uint64_t>::max() : product;
}

}  // namespace

size_t EveryOutcome::Choose(size_t options) {
  if (asked_ == digits_.size()) digits_.push_back({0, options});
  // Earlier choices may change how many options a later one has; its count then starts anew with them.
  digits_[asked_].options = options;
  return digits_[asked_++].value;
}

bool EveryOutcome::Next() {
  digits_.resize(asked_);
  asked_ = 0;
  while (!digits_.empty() && digits_.back().value + 1 >= digits_.back().options) digits_.pop_back();
  if (digits_.empty()) return false;
  ++digits_.back().value;
  return true;
}

size_t SimulatedInode::ReadAt(uint64_t offset, absl::Span<char> out) const {
  if (offset >= size()) return 0;
  const size_t total = static_cast<size_t>(std::min<uint64_t>(out.size(), size() - offset));
  for (size_t done = 0; done < total;) {
    const uint64_t index = (offset + done) / page_size_;
    const size_t at = static_cast<size_t>((offset + done) % page_size_);
    const size_t count = std::min(total - done, page_size_ - at);
    const auto found = pages_.find(index);
    const Page page = found == pages_.end() ? nullptr : found->second.versions.back();
    if (page == nullptr) {
      std::fill_n(out.data() + done, count, '\0');
    } else {
      std::copy_n(page->data() + at, count, out.data() + done);
    }
    done += count;
  }
  return total;
}

void SimulatedInode::WriteAt(uint64_t offset, absl::string_view data) {
  while (!data.empty()) {
    const size_t at = static_cast<size_t>(offset % page_size_);
    const size_t count = std::min(data.size(), page_size_ - at);
    WritePage(offset / page_size_, at, data.substr(0, count));
    data.remove_prefix(count);
    offset += count;
    // As in the kernel, the size grows with each page that is filled.
    if (offset > size()) sizes_.push_back(offset);
  }
}

void SimulatedInode::WritePage(uint64_t index, size_t at, absl::string_view data) {
  PageHistory& history = pages_[index];
  std::string page = history.versions.back() ? *history.versions.back() : std::string(page_size_, '\0');
  page.replace(at, data.size(), data.data(), data.size());
  history.versions.push_back(std::make_shared<const std::string>(std::move(page)));
  history.dirty = true;
}

void SimulatedInode::CutPage(PageHistory& history, size_t keep) const {
  const Page current = history.versions.back();
  if (current == nullptr) return;
  Page cut;
  if (keep > 0) {
    std::string page = *current;
    std::fill(page.begin() + static_cast<std::ptrdiff_t>(keep), page.end(), '\0');
    if (page == *current) return;
    cut = std::make_shared<const std::string>(std::move(page));
  }
  history.versions.push_back(std::move(cut));
  history.dirty = true;
}

void SimulatedInode::Truncate(uint64_t size) {
  if (size == this->size()) return;
  for (auto it = pages_.lower_bound(size / page_size_); it != pages_.end(); ++it) {
    const uint64_t begin = it->first * page_size_;
    CutPage(it->second, begin < size ? static_cast<size_t>(size - begin) : 0);
  }
  sizes_.push_back(size);
}

void SimulatedInode::Sync() {
  sizes_ = {size()};
  for (auto it = pages_.begin(); it != pages_.end();) {
    PageHistory& history = it->second;
    if (history.dirty) {
      history.versions = {history.versions.back()};
      history.dirty = false;
    }
    const bool hole = history.versions.size() == 1 && history.versions.back() == nullptr;
    it = hole ? pages_.erase(it) : std::next(it);
  }
}

void SimulatedInode::FailSync() {
  for (auto& [index, history] : pages_) history.dirty = false;
}

std::vector<uint64_t> SimulatedInode::CandidateSizes() const {
  std::vector<uint64_t> candidates;
  for (uint64_t candidate : sizes_) {
    if (candidate != size() && std::find(candidates.begin(), candidates.end(), candidate) == candidates.end()) {
      candidates.push_back(candidate);
    }
  }
  // A size that was left and reached again is both the durable and the current one.
  if (sizes_.front() == size() && !candidates.empty()) candidates.insert(candidates.begin(), size());
  candidates.push_back(size());
  return candidates;
}

uint64_t SimulatedInode::CrashOutcomes() const {
  uint64_t outcomes = CandidateSizes().size();
  for (const auto& [index, history] : pages_) outcomes = SaturatingMultiply(outcomes, history.versions.size());
  return outcomes;
}

void SimulatedInode::Crash(CrashChooser& chooser) {
  const std::vector<uint64_t> candidates = CandidateSizes();
  const uint64_t size = candidates[candidates.size() > 1 ? chooser.Choose(candidates.size()) : 0];
  for (auto it = pages_.begin(); it != pages_.end();) {
    PageHistory& history = it->second;
    const uint64_t begin = it->first * page_size_;
    if (begin >= size) {
      it = pages_.erase(it);
      continue;
    }
    if (history.versions.size() > 1) history.versions = {history.versions[chooser.Choose(history.versions.size())]};
    if (size - begin < page_size_) CutPage(history, static_cast<size_t>(size - begin));
    history.versions = {history.versions.back()};
    history.dirty = false;
    ++it;
  }
  sizes_ = {size};
  lock_holder = 0;
  open_handles = 0;
}

uint64_t SimulatedDisk::Find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? 0 : found->second;
}

std::string SimulatedDisk::Follow(std::string path) const {
  constexpr int kMostLinks = 40;
  for (int n = 0; n <= kMostLinks; ++n) {
    const uint64_t number = Find(path);
    if (number == 0 || inode(number).link_target.empty()) return path;
    const std::string& target = inode(number).link_target;
    path = target.front() == '/' ? target : filestorage::DirectoryOf(path) + "/" + target;
  }
  return "";
}

void SimulatedDisk::Apply(const NameChange& change, std::map<std::string, uint64_t>& names) {
  if (!change.removed.empty()) {
    const auto found = names.find(change.removed);
    // Where an earlier change did not survive, another file may have the name; it keeps it.
    if (found != names.end() && found->second == change.inode) names.erase(found);
  }
  if (!change.added.empty()) names[change.added] = change.inode;
}

void SimulatedDisk::Change(NameChange change) {
  for (const std::string& name : {change.removed, change.added}) {
    if (!name.empty()) change.unsynced_directories.insert(filestorage::DirectoryOf(name));
  }
  Apply(change, names_);
  unsynced_.push_back(std::move(change));
}

uint64_t SimulatedDisk::Create(const std::string& path, uint32_t mode) {
  const uint64_t number = next_inode_++;
  inodes_.emplace(number, SimulatedInode(page_size_, mode));
  Change({.removed = "", .added = path, .inode = number, .unsynced_directories = {}});
  return number;
}

void SimulatedDisk::Rename(const std::string& from, const std::string& to) {
  if (from == to) return;
  Change({.removed = from, .added = to, .inode = Find(from), .unsynced_directories = {}});
}

void SimulatedDisk::Link(const std::string& from, const std::string& to) {
  Change({.removed = "", .added = to, .inode = Find(from), .unsynced_directories = {}});
}

void SimulatedDisk::Remove(const std::string& path) {
  Change({.removed = path, .added = "", .inode = Find(path), .unsynced_directories = {}});
  Collect();
}

void SimulatedDisk::SyncDirectory(const std::string& directory) {
  std::vector<NameChange> left;
  for (NameChange& change : unsynced_) {
    change.unsynced_directories.erase(directory);
    if (change.unsynced_directories.empty()) {
      Apply(change, durable_names_);
    } else {
      left.push_back(std::move(change));
    }
  }
  unsynced_ = std::move(left);
  Collect();
}

void SimulatedDisk::CreateDirectories(const std::string& directory) {
  std::string current = directory;
  while (current.size() > 1 && current.back() == '/') current.pop_back();
  while (directories_.insert(current).second) current = filestorage::DirectoryOf(current);
}

std::vector<std::string> SimulatedDisk::List(const std::string& directory) const {
  std::set<std::string> found;
  const auto add = [&](const std::string& path) {
    if (path == "/" || path == "." || filestorage::DirectoryOf(path) != directory) return;
    found.insert(path.substr(path.rfind('/') + 1));
  };
  for (const auto& [path, number] : names_) add(path);
  for (const std::string& path : directories_) add(path);
  return {found.begin(), found.end()};
}

uint64_t SimulatedDisk::UsedBytes() const {
  std::set<uint64_t> named;
  for (const auto& [path, number] : names_) named.insert(number);
  uint64_t used = 0;
  for (const auto& [number, inode] : inodes_) {
    if (inode.open_handles > 0 || named.contains(number)) used += inode.size();
  }
  return used;
}

uint64_t SimulatedDisk::CrashOutcomes() const {
  uint64_t outcomes = 1;
  for (size_t i = 0; i < unsynced_.size(); ++i) outcomes = SaturatingMultiply(outcomes, 2);
  for (const auto& [number, inode] : inodes_) outcomes = SaturatingMultiply(outcomes, inode.CrashOutcomes());
  return outcomes;
}

void SimulatedDisk::Crash(CrashChooser& chooser) {
  for (const NameChange& change : unsynced_) {
    if (chooser.Choose(2) == 1) Apply(change, durable_names_);
  }
  unsynced_.clear();
  names_ = durable_names_;
  ForgetHandles();
  for (auto& [number, inode] : inodes_) inode.Crash(chooser);
}

void SimulatedDisk::ForgetHandles() {
  for (auto& [number, inode] : inodes_) {
    inode.lock_holder = 0;
    inode.open_handles = 0;
  }
  Collect();
}

void SimulatedDisk::Collect() {
  std::set<uint64_t> named;
  for (const auto& [path, number] : names_) named.insert(number);
  for (const auto& [path, number] : durable_names_) named.insert(number);
  for (const NameChange& change : unsynced_) named.insert(change.inode);
  std::erase_if(inodes_,
                [&](const auto& entry) { return entry.second.open_handles == 0 && !named.contains(entry.first); });
}

}  // namespace zrs::tests

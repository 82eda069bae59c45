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

template <typename PageOf, typename Take>
void SimulatedInode::Visit(uint64_t from, uint64_t to, PageOf page_of, Take take) const {
  auto next = pages_.lower_bound(from / page_size_);
  while (from < to) {
    const uint64_t index = from / page_size_;
    const size_t at = static_cast<size_t>(from % page_size_);
    const size_t count = static_cast<size_t>(std::min<uint64_t>(to - from, page_size_ - at));
    const std::string* page = nullptr;
    if (next != pages_.end() && next->first == index) page = page_of(*next++).get();
    take(page == nullptr ? nullptr : page->data() + at, count);
    from += count;
  }
}

size_t SimulatedInode::ReadAt(uint64_t offset, absl::Span<char> out) const {
  if (offset >= size()) return 0;
  const uint64_t end = offset + std::min<uint64_t>(out.size(), size() - offset);
  char* next = out.data();
  Visit(
      offset, end, [](const auto& entry) -> const Page& { return entry.second; },
      [&next](const char* bytes, size_t count) {
        next = bytes == nullptr ? std::fill_n(next, count, '\0') : std::copy_n(bytes, count, next);
      });
  return static_cast<size_t>(end - offset);
}

namespace {

// To the end of a string that has room for them: to fill it with zeros first costs as much as the copy.
auto AppendTo(std::string& contents) {
  return [&contents](const char* bytes, size_t count) {
    if (bytes == nullptr) {
      contents.append(count, '\0');
    } else {
      contents.append(bytes, count);
    }
  };
}

}  // namespace

std::string SimulatedInode::Contents() const {
  std::string contents;
  contents.reserve(static_cast<size_t>(size()));
  Visit(
      0, size(), [](const auto& entry) -> const Page& { return entry.second; }, AppendTo(contents));
  return contents;
}

bool SimulatedInode::HasContents(absl::string_view contents) const {
  if (contents.size() != size()) return false;
  bool same = true;
  Visit(
      0, size(), [](const auto& entry) -> const Page& { return entry.second; },
      [&](const char* bytes, size_t count) {
        const absl::string_view expected = contents.substr(0, count);
        contents.remove_prefix(count);
        same = same && (bytes == nullptr ? expected.find_first_not_of('\0') == absl::string_view::npos
                                         : absl::string_view(bytes, count) == expected);
      });
  return same;
}

std::string SimulatedInode::DurableContents(uint64_t from, uint64_t to) const {
  to = std::min(to, sizes_.front());
  std::string contents;
  if (from >= to) return contents;
  contents.reserve(static_cast<size_t>(to - from));
  const auto page_of = [this](const auto& entry) -> const Page& {
    const auto history = unsynced_.find(entry.first);
    return history == unsynced_.end() ? entry.second : history->second.versions.front();
  };
  Visit(from, to, page_of, AppendTo(contents));
  return contents;
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
  Page& current = pages_[index];
  std::string page = current ? *current : std::string(page_size_, '\0');
  page.replace(at, data.size(), data.data(), data.size());
  SetPage(index, current, std::make_shared<const std::string>(std::move(page)));
}

void SimulatedInode::CutPage(uint64_t index, Page& current, size_t keep) {
  if (current == nullptr) return;
  if (keep == 0) return SetPage(index, current, nullptr);
  if (current->find_first_not_of('\0', keep) == std::string::npos) return;
  std::string page = *current;
  std::fill(page.begin() + static_cast<std::ptrdiff_t>(keep), page.end(), '\0');
  SetPage(index, current, std::make_shared<const std::string>(std::move(page)));
}

void SimulatedInode::SetPage(uint64_t index, Page& current, Page page) {
  PageHistory& history = unsynced_[index];
  if (history.versions.empty()) history.versions.push_back(std::move(current));
  history.versions.push_back(page);
  history.dirty = true;
  current = std::move(page);
}

void SimulatedInode::Truncate(uint64_t size) {
  if (size == this->size()) return;
  for (auto it = pages_.lower_bound(size / page_size_); it != pages_.end(); ++it) {
    const uint64_t begin = it->first * page_size_;
    CutPage(it->first, it->second, begin < size ? static_cast<size_t>(size - begin) : 0);
  }
  sizes_.push_back(size);
}

void SimulatedInode::Sync() {
  sizes_ = {size()};
  std::erase_if(unsynced_, [this](const auto& entry) {
    if (!entry.second.dirty) return false;
    if (entry.second.versions.back() == nullptr) pages_.erase(entry.first);
    return true;
  });
}

void SimulatedInode::FailSync() {
  for (auto& [index, history] : unsynced_) history.dirty = false;
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
  for (const auto& [index, history] : unsynced_) outcomes = SaturatingMultiply(outcomes, history.versions.size());
  return outcomes;
}

void SimulatedInode::Crash(CrashChooser& chooser) {
  const std::vector<uint64_t> candidates = CandidateSizes();
  const uint64_t size = candidates[candidates.size() > 1 ? chooser.Choose(candidates.size()) : 0];
  for (const auto& [index, history] : unsynced_) {
    if (index * page_size_ < size) pages_[index] = history.versions[chooser.Choose(history.versions.size())];
  }
  pages_.erase(pages_.lower_bound((size + page_size_ - 1) / page_size_), pages_.end());
  if (const auto last = pages_.find(size / page_size_); last != pages_.end()) {
    CutPage(last->first, last->second, static_cast<size_t>(size % page_size_));
  }
  unsynced_.clear();
  sizes_ = {size};
}

uint64_t SimulatedDisk::FindIn(const Names& names, const std::string& path) {
  const auto found = names.find(path);
  return found == names.end() ? 0 : found->second;
}

uint64_t SimulatedDisk::Find(const std::string& path) const { return FindIn(names_, path); }

uint64_t SimulatedDisk::FindDurable(const std::string& path) const {
  return FindIn(durable_names_, FollowIn(durable_names_, path));
}

SimulatedInode& SimulatedDisk::InodeToChange(uint64_t number) {
  std::shared_ptr<SimulatedInode>& inode = inodes_.at(number);
  if (inode.use_count() > 1) inode = std::make_shared<SimulatedInode>(*inode);
  return *inode;
}

void SimulatedDisk::Close(uint64_t number, uint64_t handle) {
  Handles& handles = handles_.at(number);
  if (handles.lock_holder == handle) handles.lock_holder = 0;
  if (--handles.open > 0) return;
  handles_.erase(number);
  Collect();
}

std::string SimulatedDisk::Follow(std::string path) const { return FollowIn(names_, std::move(path)); }

std::string SimulatedDisk::FollowIn(const Names& names, std::string path) const {
  constexpr int kMostLinks = 40;
  for (int n = 0; n <= kMostLinks; ++n) {
    const uint64_t number = FindIn(names, path);
    if (number == 0 || inode(number).link_target.empty()) return path;
    const std::string& target = inode(number).link_target;
    path = target.front() == '/' ? target : filestorage::DirectoryOf(path) + "/" + target;
  }
  return "";
}

void SimulatedDisk::Apply(const NameChange& change, Names& names) {
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
  inodes_.emplace(number, std::make_shared<SimulatedInode>(page_size_, mode));
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
    if (handles_.contains(number) || named.contains(number)) used += inode->size();
  }
  return used;
}

uint64_t SimulatedDisk::CrashOutcomes() const {
  uint64_t outcomes = 1;
  for (size_t i = 0; i < unsynced_.size(); ++i) outcomes = SaturatingMultiply(outcomes, 2);
  for (const auto& [number, inode] : inodes_) outcomes = SaturatingMultiply(outcomes, inode->CrashOutcomes());
  return outcomes;
}

void SimulatedDisk::Crash(CrashChooser& chooser) {
  for (const NameChange& change : unsynced_) {
    if (chooser.Choose(2) == 1) Apply(change, durable_names_);
  }
  unsynced_.clear();
  names_ = durable_names_;
  ForgetHandles();
  for (const auto& [number, inode] : inodes_) {
    if (!inode->clean()) InodeToChange(number).Crash(chooser);
  }
}

void SimulatedDisk::ForgetHandles() {
  handles_.clear();
  Collect();
}

void SimulatedDisk::Collect() {
  const auto is_named = [this](uint64_t number) {
    const auto leads_there = [number](const auto& entry) { return entry.second == number; };
    return std::any_of(names_.begin(), names_.end(), leads_there) ||
           std::any_of(durable_names_.begin(), durable_names_.end(), leads_there) ||
           std::any_of(unsynced_.begin(), unsynced_.end(),
                       [number](const NameChange& change) { return change.inode == number; });
  };
  std::erase_if(inodes_, [&](const auto& entry) { return !handles_.contains(entry.first) && !is_named(entry.first); });
}

}  // namespace zrs::tests

#include "tests/unit/store/faulty_files.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

namespace slosonde::store {

namespace {

constexpr int64_t kSector = 512;

struct Handle {
  sqlite3_file base{};
  FaultyFiles* files = nullptr;
  std::shared_ptr<FaultyFiles::File> file;
};

Handle& handle(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file);
}

FaultyFiles& owner(sqlite3_vfs* vfs) {
  return *static_cast<FaultyFiles*>(vfs->pAppData);
}

int close_file(sqlite3_file* file) {
  handle(file).~Handle();
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* out, int length, sqlite3_int64 offset) {
  if (handle(file).files->dead()) return SQLITE_IOERR_READ;
  const std::string& bytes = handle(file).file->seen;
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t there = std::clamp<int64_t>(size - offset, 0, length);
  if (there > 0) std::memcpy(out, bytes.data() + offset, static_cast<size_t>(there));
  if (there == length) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, static_cast<size_t>(length - there));
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* data, int length, sqlite3_int64 offset) {
  return handle(file).files->change(*handle(file).file,
                                    {offset, std::string(static_cast<const char*>(data), static_cast<size_t>(length))});
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return handle(file).files->change(*handle(file).file, {size, {}});
}

int sync_file(sqlite3_file* file, int /*flags*/) {
  return handle(file).files->synchronise(*handle(file).file);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle(file).file->seen.size());
  return SQLITE_OK;
}

int lock_nothing(sqlite3_file* /*file*/, int /*level*/) {
  return SQLITE_OK;
}

int nobody_else(sqlite3_file* /*file*/, int* taken) {
  *taken = 0;
  return SQLITE_OK;
}

int control(sqlite3_file* /*file*/, int /*what*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file* /*file*/) {
  return static_cast<int>(kSector);
}

int characteristics(sqlite3_file* /*file*/) {
  return 0;
}

constexpr sqlite3_io_methods kMethods = {1,         close_file,  read_file,       write_file,   truncate_file,
                                         sync_file, file_size,   lock_nothing,    lock_nothing, nobody_else,
                                         control,   sector_size, characteristics, nullptr,      nullptr,
                                         nullptr,   nullptr,     nullptr,         nullptr};

int open_file(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* out, int flags, int* flags_out) {
  auto* const made = new (out) Handle;
  if (owner(vfs).dead()) return SQLITE_CANTOPEN;
  made->files = &owner(vfs);
  made->file = owner(vfs).open(path == nullptr ? "(temporary)" : path);
  made->base.pMethods = &kMethods;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int /*sync*/) {
  return owner(vfs).remove(path);
}

int access_file(sqlite3_vfs* vfs, const char* path, int /*flags*/, int* there) {
  *there = owner(vfs).exists(path) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs* /*vfs*/, const char* path, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", path);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* /*vfs*/, int size, char* out) {
  std::memset(out, 7, static_cast<size_t>(size));
  return size;
}

int no_sleep(sqlite3_vfs* /*vfs*/, int /*us*/) {
  return 0;
}

int julian_now(sqlite3_vfs* /*vfs*/, double* day) {
  *day = 2'461'000.5;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs* /*vfs*/, int /*size*/, char* /*out*/) {
  return 0;
}

void apply(std::string& bytes, const FaultyFiles::Change& change, int64_t from, int64_t to) {
  if (change.bytes.empty()) {
    bytes.resize(static_cast<size_t>(change.offset));
    return;
  }
  if (static_cast<int64_t>(bytes.size()) < change.offset + to) bytes.resize(static_cast<size_t>(change.offset + to));
  std::copy(change.bytes.begin() + from, change.bytes.begin() + to, bytes.begin() + change.offset + from);
}

}  // namespace

FaultyFiles::FaultyFiles() {
  static std::atomic<int> made{0};
  name_ = "faulty-" + std::to_string(++made);
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(Handle);
  vfs_.mxPathname = 512;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open_file;
  vfs_.xDelete = delete_file;
  vfs_.xAccess = access_file;
  vfs_.xFullPathname = full_path;
  vfs_.xRandomness = randomness;
  vfs_.xSleep = no_sleep;
  vfs_.xCurrentTime = julian_now;
  vfs_.xGetLastError = last_error;
  sqlite3_vfs_register(&vfs_, 0);
}

FaultyFiles::~FaultyFiles() {
  sqlite3_vfs_unregister(&vfs_);
}

void FaultyFiles::fail_at(int64_t nth, Fault fault) {
  const std::lock_guard lock(mutex_);
  operations_ = 0;
  fail_at_ = nth;
  fault_ = fault;
  changed_.notify_all();
}

void FaultyFiles::heal() {
  fail_at(-1, Fault::none);
}

int64_t FaultyFiles::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

bool FaultyFiles::held() const {
  const std::lock_guard lock(mutex_);
  return held_ && fault_ == Fault::held;
}

bool FaultyFiles::dead() const {
  const std::lock_guard lock(mutex_);
  return fault_ == Fault::power_cut && operations_ >= fail_at_;
}

void FaultyFiles::come_back(std::mt19937_64& random) {
  const std::lock_guard lock(mutex_);
  for (auto& [path, file] : files_) {
    std::string bytes = file->safe;
    for (const Change& change : file->pending) {
      const auto length = static_cast<int64_t>(change.bytes.size());
      if (length == 0) {
        if (random() % 2 == 0) apply(bytes, change, 0, 0);
        continue;
      }
      for (int64_t from = 0; from < length;) {
        const int64_t to = std::min(length, from + kSector - (change.offset + from) % kSector);
        if (random() % 2 == 0) apply(bytes, change, from, to);
        from = to;
      }
    }
    file->safe = file->seen = std::move(bytes);
    file->pending.clear();
  }
  operations_ = 0;
  fail_at_ = -1;
  fault_ = Fault::none;
}

void FaultyFiles::copy_to(FaultyFiles& other) const {
  const std::scoped_lock lock(mutex_, other.mutex_);
  for (const auto& [path, file] : files_) {
    other.files_[path] = std::make_shared<File>(File{file->seen, file->seen, {}});
  }
}

std::string& FaultyFiles::bytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return files_.at(path)->seen;
}

std::shared_ptr<FaultyFiles::File> FaultyFiles::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  auto& file = files_[path];
  if (!file) file = std::make_shared<File>();
  return file;
}

bool FaultyFiles::exists(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return files_.contains(path);
}

int FaultyFiles::admit(std::unique_lock<std::mutex>& lock) {
  ++operations_;
  if (fault_ == Fault::held && operations_ >= fail_at_) {
    held_ = true;
    changed_.wait(lock, [&] { return fault_ != Fault::held; });
    held_ = false;
    ++operations_;
  }
  if (fault_ == Fault::none || operations_ < fail_at_) return SQLITE_OK;
  switch (fault_) {
    case Fault::full:
      return SQLITE_FULL;
    case Fault::once:
      return operations_ == fail_at_ ? SQLITE_IOERR_WRITE : SQLITE_OK;
    default:
      return SQLITE_IOERR_WRITE;
  }
}

int FaultyFiles::remove(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (const int refused = admit(lock); refused != SQLITE_OK) return SQLITE_IOERR_DELETE;
  files_.erase(path);
  return SQLITE_OK;
}

int FaultyFiles::change(File& file, Change change) {
  std::unique_lock lock(mutex_);
  if (const int refused = admit(lock); refused != SQLITE_OK) return refused;
  apply(file.seen, change, 0, static_cast<int64_t>(change.bytes.size()));
  file.pending.push_back(std::move(change));
  return SQLITE_OK;
}

int FaultyFiles::synchronise(File& file) {
  std::unique_lock lock(mutex_);
  if (const int refused = admit(lock); refused != SQLITE_OK) return SQLITE_IOERR_FSYNC;
  for (const Change& change : file.pending) apply(file.safe, change, 0, static_cast<int64_t>(change.bytes.size()));
  file.pending.clear();
  return SQLITE_OK;
}

}  // namespace slosonde::store

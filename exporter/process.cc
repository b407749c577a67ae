#include "exporter/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "exporter/families.h"

namespace slosonde::exporter {

struct ProcessFigures::Files {
  DIR* descriptors = ::opendir("/proc/self/fd");
  int statm = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ~Files() {
    if (descriptors) ::closedir(descriptors);
    if (statm >= 0) ::close(statm);
  }
};

namespace {

std::string first_line_with(const char* file, std::string_view start) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(start)) return line;
  }
  return {};
}

// Field 22 of /proc/self/stat counts clock ticks since boot; btime of /proc/stat says when that was. proc(5).
double read_start_time() {
  const std::string stat = first_line_with("/proc/self/stat", "");
  const std::string boot = first_line_with("/proc/stat", "btime ");
  const size_t after_name = stat.rfind(") ");
  if (after_name == std::string::npos || boot.empty()) return 0;
  size_t at = after_name + 2;
  for (int field = 3; field < 22 && at != std::string::npos; ++field) {
    at = stat.find(' ', at);
    if (at != std::string::npos) ++at;
  }
  if (at == std::string::npos) return 0;
  const double ticks = std::strtod(stat.c_str() + at, nullptr);
  return std::strtod(boot.c_str() + 6, nullptr) + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

void collect_memory(int statm, std::vector<prometheus::MetricFamily>& families) {
  char text[128] = {};
  const ssize_t length = statm < 0 ? -1 : ::pread(statm, text, sizeof text - 1, 0);
  if (length <= 0) return;
  char* rest = nullptr;
  const double page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const double size = std::strtod(text, &rest) * page;
  const double resident = std::strtod(rest, nullptr) * page;
  gauge(families, "process_virtual_memory_bytes", "Virtual memory size in bytes.").add({}, size);
  gauge(families, "process_resident_memory_bytes", "Resident memory size in bytes.").add({}, resident);
}

void collect_descriptors(DIR* directory, std::vector<prometheus::MetricFamily>& families) {
  if (directory) {
    ::rewinddir(directory);
    double count = 0;
    while (const dirent* entry = ::readdir(directory)) {
      if (entry->d_name[0] != '.') ++count;
    }
    gauge(families, "process_open_fds", "Number of open file descriptors.").add({}, count);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    gauge(families, "process_max_fds", "Maximum number of open file descriptors.")
        .add({}, static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace

ProcessFigures::ProcessFigures() : files_(std::make_unique<Files>()), start_time_(read_start_time()) {}
ProcessFigures::~ProcessFigures() = default;

void ProcessFigures::collect(std::vector<prometheus::MetricFamily>& families) const {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    counter(families, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
        .add({}, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
  }
  collect_memory(files_->statm, families);
  collect_descriptors(files_->descriptors, families);
  if (start_time_ > 0) {
    gauge(families, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
        .add({}, start_time_);
  }
}

}  // namespace slosonde::exporter

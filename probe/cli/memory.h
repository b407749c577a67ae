// Measures to keep a long-lived process small.
#pragma once

#include <cstddef>

namespace slosonde::cli {

// Lets go of the code and constants that only starting needed: some 20 libraries initialise themselves, and the kernel
// maps 64 KiB around every page they touch. What is still used comes back from the page cache, page by page. Says how
// many bytes were let go of; 0 where /proc does not tell.
size_t drop_startup_pages();

}  // namespace slosonde::cli

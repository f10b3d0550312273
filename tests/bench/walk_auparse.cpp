// walk_auparse FILE: visits each record of FILE through libauparse and prints how many there were.
#include <cstdio>

#include "walk.hpp"

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: walk_auparse FILE\n", stderr);
        return 2;
    }
    const auto walked = bench::walk_auparse(arguments[1]);
    if (!walked.readable) {
        std::perror(arguments[1]);
        return 2;
    }
    std::printf("%llu records in %llu events\n", static_cast<unsigned long long>(walked.records),
                static_cast<unsigned long long>(walked.events));
    return 0;
}

# Each suite of a test program as one test for ctest: a process for each of two thousand tests took
# longer than the tests. The suites in ALONE change their process for good, so each of their tests
# has one of its own.
#
# Included by CMakeLists.txt for suites_of(), and run by itself after a program was linked:
#   cmake -D PROGRAM=... -D PREFIX=... -D ALONE=... -D OUT=... -P suites.cmake

# suites_of(TARGET PREFIX): ctest's names are PREFIX/SUITE.
function(suites_of target prefix)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:${target}> -D PREFIX=${prefix}
            -D "ALONE=SyscallFilterTest|ConfinementTest|ProcessFilterTest" -D OUT=${out}
            -P ${CMAKE_SOURCE_DIR}/tests/suites.cmake
    VERBATIM)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake
    "if(EXISTS \"${out}\")\n  include(\"${out}\")\n"
    "else()\n  add_test(${prefix}/NOT_BUILT ${target})\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY
    TEST_INCLUDE_FILES ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed TIMEOUT 60
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE " +#[^\n]*" "" listed "${listed}")  # the values of parameters
string(REPLACE "\n" ";" lines "${listed}")
set(tests "")

# It prints nothing but what failed. Ten minutes: what takes seconds does so on the slowest machine.
# Only of a single test does "skipped" mean all of it.
macro(add filter)
  string(APPEND tests
    "add_test(\"${PREFIX}/${filter}\" \"${PROGRAM}\" \"--gtest_filter=${filter}${ARGN}\""
    " --gtest_brief=1)\n"
    "set_tests_properties(\"${PREFIX}/${filter}\" PROPERTIES TIMEOUT 600"
    " ENVIRONMENT RC_PARAMS=seed=7 FAIL_REGULAR_EXPRESSION \"\\\\] 0 tests from\"")
  if("${ARGN}" STREQUAL "")
    string(APPEND tests " SKIP_REGULAR_EXPRESSION \"\\\\[  SKIPPED \\\\]\"")
  endif()
  string(APPEND tests ")\n")
endmacro()

foreach(line ${lines})
  if(line MATCHES "^([^ ]+)\\.$")
    set(suite ${CMAKE_MATCH_1})
    if(NOT suite MATCHES "^(${ALONE})$")
      add(${suite} ".*")
    endif()
  elseif(suite MATCHES "^(${ALONE})$" AND line MATCHES "^  ([^ ]+)$")
    add(${suite}.${CMAKE_MATCH_1})
  endif()
endforeach()
if(tests STREQUAL "")
  message(FATAL_ERROR "${PROGRAM} lists no tests")
endif()
file(WRITE ${OUT} "${tests}")

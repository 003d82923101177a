# The test of the installation: builds the libraries portably, installs them under a temporary prefix, and there configures, builds
# and runs the project beside this file. Given source, binary, compiler and generator. Nothing here is optimised: what is
# tested is that it compiles, links and runs.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\n${output}\nended with ${status}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(common -G ${generator} -DCMAKE_CXX_COMPILER=${compiler} -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O0")
set(prefix ${binary}/prefix)
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
file(REMOVE_RECURSE ${prefix} ${binary}/consumer)

run(${CMAKE_COMMAND} -S ${source} -B ${binary}/normlab ${common} -DNORMLAB_NATIVE=OFF -DNORMLAB_BUILD_PROGRAM=OFF
    -DNORMLAB_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX=${prefix})
run(${CMAKE_COMMAND} --build ${binary}/normlab --parallel ${cores})
run(${CMAKE_COMMAND} --install ${binary}/normlab)

run(${CMAKE_COMMAND} -S ${source}/tests/consumer -B ${binary}/consumer ${common} -DCMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${binary}/consumer --parallel ${cores})
foreach(program consumer_engine consumer_nn)
  run(${binary}/consumer/${program})
  message(STATUS "${program}: ${output}")
endforeach()

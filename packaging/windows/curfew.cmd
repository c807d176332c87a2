@"%~dp0node.exe" @FLAGS@"%~dp0program\@PROGRAM@.js" %*

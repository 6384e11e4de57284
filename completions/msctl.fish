# fish completion for msctl: asks the program itself.
function __msctl_complete
	set -l words (commandline -opc) (commandline -ct)
	for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
		switch $line
			case ':file' ':dir'
				__fish_complete_path (commandline -ct)
			case ':*'
			case '*'
				echo $line
		end
	end
end
complete -c msctl -f -a '(__msctl_complete)'
